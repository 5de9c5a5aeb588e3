package target

import (
	"slices"

	"github.com/torrust/runner/internal/diag"
)

// used are the variables that say how a host is reached, with their other
// names.
var used = []string{
	"ansible_connection", "ansible_host", "ansible_ssh_host", "ansible_port", "ansible_ssh_port", "ansible_user", "ansible_ssh_user",
	"ansible_password", "ansible_ssh_pass", "ansible_ssh_password", "ansible_ssh_private_key_file", "ansible_private_key_file",
	"ansible_ssh_args", "ansible_ssh_common_args", "ansible_ssh_extra_args", "ansible_ssh_timeout", "ansible_timeout",
	"ansible_host_key_checking", "ansible_ssh_host_key_checking", "ansible_shell_executable", "ansible_remote_tmp",
	"ansible_become", "ansible_become_method", "ansible_become_user", "ansible_become_password", "ansible_become_pass",
	"ansible_become_exe", "ansible_become_flags", "ansible_sudo_pass", "ansible_group_priority",
}

// ignored are variables of Ansible that ask for what this runner does anyway
// or does in another way.
var ignored = []string{
	"ansible_python_interpreter", "ansible_ssh_executable", "ansible_ssh_transfer_method", "ansible_ssh_retries", "ansible_ssh_pipelining",
	"ansible_pipelining", "ansible_sftp_extra_args", "ansible_scp_extra_args", "ansible_control_path", "ansible_control_path_dir",
	"ansible_ssh_use_tty", "ansible_shell_type", "ansible_facts", "ansible_network_os", "ansible_winrm_transport",
}

// Known tells whether a variable is one of Ansible's about connections.
func Known(name string) bool { return slices.Contains(used, name) || slices.Contains(ignored, name) }

// Near returns the variable about connections that name is almost; empty if
// there is none.
func Near(name string) string { return diag.Suggest(name, used) }
