package target

import (
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/torrust/runner/internal/conn"
)

func TestFrom(t *testing.T) {
	t.Parallel()
	for name, tt := range map[string]struct {
		vars map[string]any
		want conn.Target
		err  string
	}{
		"nothing said": {nil, conn.Target{Name: "h", Host: "h"}, ""},
		"as the deployer writes it": {map[string]any{
			"ansible_host": "203.0.113.10", "ansible_port": int64(2222), "ansible_user": "torrust", "ansible_connection": "ssh",
			"ansible_ssh_private_key_file": "/k", "ansible_ssh_common_args": "-o StrictHostKeyChecking=no -o UserKnownHostsFile=/dev/null", "ansible_python_interpreter": "/usr/bin/python3",
		}, conn.Target{
			Name: "h", Host: "203.0.113.10", Port: 2222, User: "torrust", Connection: "ssh", KeyFiles: []string{"/k"},
			Options: []conn.Option{{Name: "StrictHostKeyChecking", Value: "no"}, {Name: "UserKnownHostsFile", Value: "/dev/null"}},
		}, ""},
		"old names, texts for numbers": {map[string]any{"ansible_ssh_host": "x", "ansible_ssh_port": "22", "ansible_timeout": "1.5"},
			conn.Target{Name: "h", Host: "x", Port: 22, ConnectTimeout: 1500 * time.Millisecond}, ""},
		"arguments": {map[string]any{"ansible_ssh_extra_args": `-J jump -i "/a b" -p 2200 -lroot -C -o 'Port 1'`},
			conn.Target{Name: "h", Host: "h", Port: 2200, User: "root", KeyFiles: []string{"/a b"}, Options: []conn.Option{{Name: "ProxyJump", Value: "jump"}, {Name: "Port", Value: "1"}}}, ""},
		"become": {map[string]any{"ansible_become_user": "tracker", "ansible_become_pass": "p"},
			conn.Target{Name: "h", Host: "h", Become: conn.Become{User: "tracker", Password: "p"}}, ""},
		"keys unchecked":     {map[string]any{"ansible_host_key_checking": "False"}, conn.Target{Name: "h", Host: "h", HostKeyPolicy: conn.HostKeyInsecure}, ""},
		"no port":            {map[string]any{"ansible_port": "ssh"}, conn.Target{}, "ansible_port must be a number, this is ssh"},
		"option not known":   {map[string]any{"ansible_ssh_args": "-D 1080"}, conn.Target{}, "ansible_ssh_args: the option -D of ssh is not supported"},
		"no value":           {map[string]any{"ansible_ssh_args": "-o"}, conn.Target{}, "-o needs a value"},
		"another ssh_config": {map[string]any{"ansible_ssh_args": "-F x"}, conn.Target{}, "another ssh_config is not supported"},
		"quote not closed":   {map[string]any{"ansible_ssh_args": "-o 'x"}, conn.Target{}, "ansible_ssh_args: "},
	} {
		got, err := From("h", tt.vars)
		if tt.err != "" {
			require.ErrorContains(t, err, tt.err, name)
			continue
		}
		require.NoError(t, err, name)
		assert.Equal(t, tt.want, got, name)
	}
}
