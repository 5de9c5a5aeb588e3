package sshconn

import (
	"cmp"
	"errors"
	"fmt"
	"os/user"
	"path/filepath"
	"strconv"
	"strings"
	"time"

	"github.com/torrust/runner/internal/conn"
)

// settings are what holds for one connection, after everything was asked: the
// target, the options of the command line, ssh_config, the defaults.
type settings struct {
	name       string // as the inventory has it
	host       string
	port       int
	user       string
	timeout    time.Duration
	keepalive  time.Duration // 0: none
	alive      int           // unanswered keepalives that end the connection
	keyFiles   []string
	explicit   bool // keyFiles were asked for: one that is missing is a mistake
	onlyKeys   bool // IdentitiesOnly
	agent      string
	password   string
	passphrase func(string) (string, error)

	policy      conn.HostKeyPolicy
	knownHosts  []string
	hostAlias   string
	fingerprint string
	jump        string
}

// honoured are the options that settings are made of, ignored those that say
// nothing about a connection of ours. Any other is refused.
var (
	honoured = map[string]bool{
		"hostname": true, "port": true, "user": true, "identityfile": true, "identitiesonly": true, "identityagent": true,
		"userknownhostsfile": true, "globalknownhostsfile": true, "stricthostkeychecking": true, "hostkeyalias": true,
		"connecttimeout": true, "serveraliveinterval": true, "serveralivecountmax": true, "proxyjump": true,
	}
	ignoredOptions = map[string]bool{
		"controlmaster": true, "controlpath": true, "controlpersist": true, "compression": true, "loglevel": true, "forwardagent": true,
		"batchmode": true, "preferredauthentications": true, "tcpkeepalive": true, "addkeystoagent": true, "passwordauthentication": true,
		"pubkeyauthentication": true, "kbdinteractiveauthentication": true, "gssapiauthentication": true, "visualhostkey": true, "requesttty": true, "forwardx11": true,
		"checkhostip": true, "updatehostkeys": true, "hashknownhosts": true, "sendenv": true, "setenv": true, "usekeychain": true,
		"ipqos": true, "rekeylimit": true, "numberofpasswordprompts": true, "verifyhostkeydns": true,
	}
)

// optionError refuses an option by name.
func optionError(name, where string) error {
	hint := "leave it out, or ask for it to be supported"
	if name == "proxycommand" {
		hint = "use ProxyJump (-o ProxyJump=HOST or -J HOST) instead"
	}
	return withHint(fmt.Errorf("the SSH option %s (%s) is not supported", name, where), "%s", hint)
}

// settings asks everything that may say something about a connection.
func (d *Dialer) settings(t conn.Target) (*settings, error) {
	given := map[string][]string{}
	for _, o := range t.Options {
		name := strings.ToLower(o.Name)
		if !honoured[name] && !ignoredOptions[name] {
			return nil, optionError(name, "given with -o or in the inventory")
		}
		if _, twice := given[name]; !twice || repeatable(name) {
			given[name] = append(given[name], o.Value)
		}
	}
	original := cmp.Or(t.Host, t.Name)
	fromFiles, err := d.config.lookup(asked{original: original, host: original, user: t.User})
	if err != nil {
		return nil, err
	}
	if _, ok := fromFiles["proxycommand"]; ok && !strings.EqualFold(fromFiles["proxycommand"][0], "none") {
		return nil, optionError("proxycommand", "in ssh_config for "+original)
	}
	get := func(name string) string {
		for _, from := range []map[string][]string{given, fromFiles} {
			if v := from[name]; len(v) > 0 {
				return v[0]
			}
		}
		return ""
	}
	s := &settings{name: t.Name, password: t.Password, passphrase: t.KeyPassphrase, fingerprint: t.Fingerprint}
	s.host = strings.ReplaceAll(cmp.Or(get("hostname"), original), "%h", original)
	s.user = cmp.Or(t.User, get("user"), currentUser())
	s.hostAlias, s.jump = get("hostkeyalias"), get("proxyjump")
	if strings.EqualFold(s.jump, "none") {
		s.jump = ""
	}
	if err := s.numbers(t, get); err != nil {
		return nil, err
	}
	s.keys(d, t, given["identityfile"], fromFiles["identityfile"], get)
	return s, s.hostKeys(d, t, get)
}

func currentUser() string {
	if u, err := user.Current(); err == nil {
		return u.Username
	}
	return "root"
}

func (s *settings) numbers(t conn.Target, get func(string) string) error {
	var errs []error
	number := func(name string, fallback int) int {
		text := get(name)
		if text == "" || strings.EqualFold(text, "none") {
			return fallback
		}
		n, err := strconv.Atoi(strings.TrimSuffix(text, "s"))
		if err != nil || n < 0 {
			errs = append(errs, fmt.Errorf("the SSH option %s cannot be %q", name, text))
		}
		return n
	}
	s.port = cmp.Or(t.Port, number("port", 22))
	s.timeout = cmp.Or(t.ConnectTimeout, time.Duration(number("connecttimeout", 0))*time.Second, defaultTimeout)
	s.keepalive = time.Duration(number("serveraliveinterval", 15)) * time.Second
	s.alive = max(1, number("serveralivecountmax", 3))
	if s.port > 65535 {
		errs = append(errs, fmt.Errorf("there is no port %d", s.port))
	}
	return errors.Join(errs...)
}

// defaultKeys are tried if nobody names a key, as ssh does.
var defaultKeys = []string{"id_ed25519", "id_ecdsa", "id_rsa"}

func (s *settings) keys(d *Dialer, t conn.Target, given, fromFiles []string, get func(string) string) {
	files := append(append(append([]string(nil), t.KeyFiles...), given...), fromFiles...)
	s.explicit = len(files) > 0
	if !s.explicit {
		for _, name := range defaultKeys {
			files = append(files, filepath.Join(d.home, ".ssh", name))
		}
	}
	for _, f := range files {
		s.keyFiles = append(s.keyFiles, d.expandHome(f, s.host, s.user))
	}
	s.onlyKeys = strings.EqualFold(get("identitiesonly"), "yes")
	s.agent = d.env("SSH_AUTH_SOCK")
	switch v := get("identityagent"); {
	case v == "" || v == "SSH_AUTH_SOCK":
	case strings.EqualFold(v, "none"):
		s.agent = ""
	case strings.HasPrefix(v, "$"):
		s.agent = d.env(strings.Trim(v, "${}"))
	default:
		s.agent = d.expandHome(v, s.host, s.user)
	}
}

func (s *settings) hostKeys(d *Dialer, t conn.Target, get func(string) string) error {
	files := t.KnownHosts
	if len(files) == 0 {
		files = strings.Fields(strings.ReplaceAll(get("userknownhostsfile"), `"`, ""))
		if text := get("userknownhostsfile"); strings.Contains(text, `"`) {
			files = []string{strings.ReplaceAll(text, `"`, "")}
		}
	}
	if len(files) == 0 {
		files = []string{"~/.ssh/known_hosts", "~/.ssh/known_hosts2"}
	}
	global := strings.Fields(cmp.Or(get("globalknownhostsfile"), "/etc/ssh/ssh_known_hosts"))
	for _, f := range append(append([]string(nil), files...), global...) {
		if !strings.EqualFold(f, "none") {
			s.knownHosts = append(s.knownHosts, d.expandHome(f, s.host, s.user))
		}
	}
	s.policy = t.HostKeyPolicy
	if s.policy == "" {
		switch v := strings.ToLower(get("stricthostkeychecking")); v {
		case "", "yes", "true", "on", "ask":
			s.policy = conn.HostKeyStrict
		case "accept-new":
			s.policy = conn.HostKeyAcceptNew
		case "no", "off", "false":
			s.policy = conn.HostKeyInsecure
		default:
			return fmt.Errorf("StrictHostKeyChecking cannot be %q; one of: yes, accept-new, no", v)
		}
	}
	return nil
}
