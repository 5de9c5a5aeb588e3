package inventory

import (
	"os"
	"regexp"

	"github.com/torrust/runner/internal/diag"
)

// namedSource is a source under a name: production=env/production/inventory.yml.
var namedSource = regexp.MustCompile(`^([A-Za-z0-9][A-Za-z0-9_-]*)=(.+)$`)

// cutName takes the name off a source that has one. A file of that very name
// is a file.
func cutName(source string) (name, path string) {
	m := namedSource.FindStringSubmatch(source)
	if m == nil {
		return "", source
	}
	if _, err := os.Stat(source); err == nil {
		return "", source
	}
	return m[1], m[2]
}

// hostName is what a host is called that a source calls name: every deployer
// calls its only host torrust-tracker-vm.
func (inv *Inventory) hostName(name string) string {
	if inv.prefix == "" {
		return name
	}
	return inv.prefix + "-" + name
}

// addresses returns the address that each host has been given so far.
func (inv *Inventory) addresses() map[*Host]any {
	out := map[*Host]any{}
	for _, h := range inv.hosts {
		for _, name := range []string{"ansible_host", "ansible_ssh_host"} {
			if v, ok := h.own.Values[name]; ok {
				out[h] = v
			}
		}
	}
	return out
}

// conflicts reports hosts to which source has given another address than an
// earlier source: two hosts by one name would be one host.
func (inv *Inventory) conflicts(source string, before map[*Host]any) (errs diag.List) {
	after := inv.addresses()
	for _, h := range inv.hosts {
		was, known := before[h]
		if now := after[h]; known && now != was {
			errs.Addf(diag.Pos{File: source}, "the host %q has the address %v here, and %v in an earlier source: they would be taken for one host", h.Name, now, was).
				WithHint("give a source a name, which goes before the names of its hosts: -i NAME=%s", source)
		}
	}
	return errs
}
