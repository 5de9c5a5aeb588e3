package cli

import (
	"time"

	"github.com/spf13/cobra"

	"github.com/torrust/runner/internal/vars"
)

// loginFlags are the connection options of the command line. They are the
// weakest of all: a variable of the inventory wins, as in Ansible.
type loginFlags struct {
	user, privateKey, connection, sshCommonArgs string
	timeout                                     secondsValue
	become                                      bool
	becomeMethod, becomeUser                    string
	askPass, askBecomePass                      bool
	passwordFile, becomePasswordFile            string
}

func (l *loginFlags) add(cmd *cobra.Command) {
	f := cmd.Flags()
	f.StringVarP(&l.user, "user", "u", "", "log in as `USER`")
	f.StringVar(&l.privateKey, "private-key", "", "private key `FILE` to log in with")
	f.StringVar(&l.privateKey, "key-file", "", "the same as --private-key")
	f.StringVarP(&l.connection, "connection", "c", "", "`how` to connect: ssh or local")
	f.VarP(&l.timeout, "timeout", "T", "`time` that connecting may take in all")
	f.StringVar(&l.sshCommonArgs, "ssh-common-args", "", "`options` for every connection, as for ssh: -o Name=value, -J host")
	f.BoolVarP(&l.askPass, "ask-pass", "k", false, "ask for the password to log in with")
	f.StringVar(&l.passwordFile, "connection-password-file", "", "read the password to log in with from `FILE`")
	f.BoolVarP(&l.become, "become", "b", false, "run tasks as another user, root if not said otherwise")
	f.StringVar(&l.becomeMethod, "become-method", "", "`how` to become another user: sudo, su or doas")
	f.StringVar(&l.becomeUser, "become-user", "", "the `USER` to become")
	f.BoolVarP(&l.askBecomePass, "ask-become-pass", "K", false, "ask for the password to become another user with")
	f.StringVar(&l.becomePasswordFile, "become-password-file", "", "read that password from `FILE`")
	_ = f.MarkHidden("key-file") // an alias
}

// layer asks for the passwords that are to be asked for, and returns what was
// given as variables.
func (l *loginFlags) layer(ask *secrets) (vars.Layer, error) {
	values := map[string]any{}
	for name, value := range map[string]string{
		"ansible_user":                 l.user,
		"ansible_ssh_private_key_file": l.privateKey,
		"ansible_connection":           l.connection,
		"ansible_ssh_common_args":      l.sshCommonArgs,
		"ansible_become_method":        l.becomeMethod,
		"ansible_become_user":          l.becomeUser,
	} {
		if value != "" {
			values[name] = value
		}
	}
	if l.timeout > 0 {
		values["ansible_ssh_timeout"] = time.Duration(l.timeout).Seconds()
	}
	if l.become {
		values["ansible_become"] = true
	}
	for _, p := range []struct {
		variable, question, file string
		ask                      bool
	}{
		{"ansible_password", "SSH password: ", l.passwordFile, l.askPass},
		{"ansible_become_password", "BECOME password: ", l.becomePasswordFile, l.askBecomePass},
	} {
		var err error
		switch {
		case p.file != "":
			values[p.variable], err = ask.file(p.file)
		case p.ask:
			values[p.variable], err = ask.ask(p.question)
		}
		if err != nil {
			return vars.Layer{}, &usageError{err: err}
		}
	}
	return vars.Layer{Source: "command line", Values: values, Literal: true}, nil
}
