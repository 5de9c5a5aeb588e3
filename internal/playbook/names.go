package playbook

import (
	"slices"
	"strings"
)

// bareName returns the name of a task kind without Ansible's own namespaces.
func bareName(name string) string {
	for _, prefix := range []string{"ansible.builtin.", "ansible.legacy."} {
		if rest, ok := strings.CutPrefix(name, prefix); ok {
			return rest
		}
	}
	return name
}

// ownKinds are the kinds that the grammar itself gives a meaning.
func ownKinds() []string {
	return []string{"pipe", "meta", "import_tasks", "include_tasks", "import_role", "include_role", "import_playbook"}
}

func isOwn(name string) bool { return slices.Contains(ownKinds(), name) }

// ansibleModules are modules of ansible.builtin that are not supported unless
// a task kind of that name exists, with what to use instead.
func ansibleModules() map[string]string {
	const command = "use command, with creates: or a check before it"
	const packages = "use command: apt-get install -y NAME, with creates: naming a file of the package"
	return map[string]string{
		"add_host":               "name the host in the inventory",
		"apt":                    packages,
		"apt_key":                "use copy, to /etc/apt/keyrings",
		"apt_repository":         "use copy, to /etc/apt/sources.list.d",
		"assemble":               "use template",
		"async_status":           "tasks are waited for",
		"blockinfile":            "use lineinfile or template",
		"cron":                   "use copy, to /etc/cron.d",
		"deb822_repository":      "use copy, to /etc/apt/sources.list.d",
		"debconf":                command,
		"dnf":                    packages,
		"dnf5":                   packages,
		"dpkg_selections":        "use command: apt-mark hold NAME",
		"expect":                 "use command with stdin:",
		"gather_facts":           "use command with register",
		"get_url":                "use command: curl -fsSLo DEST URL, with creates: DEST",
		"getent":                 "use command: getent DATABASE KEY",
		"git":                    "use command: git, with creates:",
		"group":                  "use command: groupadd, with a check before it",
		"hostname":               "use command: hostnamectl set-hostname NAME",
		"include":                "write import_tasks or include_tasks",
		"iptables":               command,
		"known_hosts":            "use lineinfile on the file",
		"mount_facts":            "use command: findmnt --json",
		"package":                packages,
		"package_facts":          "use command: dpkg-query",
		"ping":                   "use command: true",
		"pip":                    command,
		"reboot":                 "use command: reboot, and go on in another run",
		"replace":                "use lineinfile",
		"rpm_key":                command,
		"service_facts":          "use command: systemctl list-units",
		"set_stats":              "use set_fact",
		"setup":                  "use command with register",
		"subversion":             command,
		"synchronize":            "use copy, or a pipe that ends in fetch",
		"sysvinit":               "use systemd",
		"user":                   "use command: useradd, with a check before it",
		"validate_argument_spec": "use assert",
		"yum":                    packages,
		"yum_repository":         command,
	}
}
