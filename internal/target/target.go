// Package target owns Ansible's connection variables: what ansible_host and
// its like mean for a connection.
//
// It never knows where variables come from, nor how a connection is made.
package target

import (
	"errors"
	"fmt"
	"strconv"
	"strings"
	"time"

	"github.com/torrust/runner/internal/conn"
)

// From makes the target of the host name from its connection variables, whose
// values are expanded already. Variables that say nothing about a connection
// are passed over; a value that cannot be used is an error, all at once.
func From(name string, vars map[string]any) (conn.Target, error) {
	r := reader{vars: vars}
	t := conn.Target{
		Name:       name,
		Connection: r.text("ansible_connection"),
		Host:       r.text("ansible_host", "ansible_ssh_host"),
		Port:       int(r.number("ansible_port", "ansible_ssh_port")),
		User:       r.text("ansible_user", "ansible_ssh_user"),
		Password:   r.text("ansible_password", "ansible_ssh_pass", "ansible_ssh_password"),
		Shell:      r.text("ansible_shell_executable"),
		RemoteTmp:  r.text("ansible_remote_tmp"),
		Become: conn.Become{
			Method:   r.text("ansible_become_method"),
			User:     r.text("ansible_become_user"),
			Password: r.text("ansible_become_password", "ansible_become_pass", "ansible_sudo_pass"),
			Exe:      r.text("ansible_become_exe"),
			Flags:    r.text("ansible_become_flags"),
		},
	}
	switch t.Connection {
	case "smart", "paramiko", "paramiko_ssh", "ansible.netcommon.libssh":
		t.Connection = "ssh" // other ways to speak the same protocol
	}
	if t.Host == "" {
		t.Host = name
	}
	if key := r.text("ansible_ssh_private_key_file", "ansible_private_key_file"); key != "" {
		t.KeyFiles = []string{key}
	}
	t.ConnectTimeout = time.Duration(r.number("ansible_ssh_timeout", "ansible_timeout") * float64(time.Second))
	if check, given := r.flag("ansible_host_key_checking", "ansible_ssh_host_key_checking"); given && !check {
		t.HostKeyPolicy = conn.HostKeyInsecure
	}
	for _, variable := range []string{"ansible_ssh_args", "ansible_ssh_common_args", "ansible_ssh_extra_args"} {
		if text := r.text(variable); text != "" {
			if err := arguments(&t, text); err != nil {
				r.errs = append(r.errs, fmt.Errorf("%s: %w", variable, err))
			}
		}
	}
	return t, errors.Join(r.errs...)
}

// reader reads variables that may have several names, the first of which wins.
type reader struct {
	vars map[string]any
	errs []error
}

func (r *reader) find(names []string) (name string, v any) {
	for _, name := range names {
		if v := r.vars[name]; v != nil {
			return name, v
		}
	}
	return "", nil
}

func (r *reader) text(names ...string) string {
	_, v := r.find(names)
	if v == nil {
		return ""
	}
	return strings.TrimSpace(fmt.Sprint(v))
}

func (r *reader) number(names ...string) float64 {
	name, v := r.find(names)
	switch v := v.(type) {
	case nil:
		return 0
	case int64:
		return float64(v)
	case int:
		return float64(v)
	case float64:
		return v
	case string:
		if f, err := strconv.ParseFloat(strings.TrimSpace(v), 64); err == nil {
			return f
		}
	}
	r.errs = append(r.errs, fmt.Errorf("%s must be a number, this is %v", name, v))
	return 0
}

func (r *reader) flag(names ...string) (value, given bool) {
	name, v := r.find(names)
	switch v := v.(type) {
	case nil:
		return false, false
	case bool:
		return v, true
	case int64:
		return v != 0, true
	case string:
		switch strings.ToLower(strings.TrimSpace(v)) {
		case "yes", "true", "on", "1":
			return true, true
		case "no", "false", "off", "0":
			return false, true
		}
	}
	r.errs = append(r.errs, fmt.Errorf("%s must be true or false, this is %v", name, v))
	return false, false
}
