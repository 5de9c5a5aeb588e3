package mysqldump

import (
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/torrust/runner/internal/conn/shell"
	"github.com/torrust/runner/internal/container"
)

// fake is a container engine that is a script. Its one container, "mysql", is
// this machine with a server and clients that are scripts, too; their passwords,
// answers and dumps are files.
type fake struct {
	dir    string
	engine string
}

const password = `p"a\ss #'$x;` + "`" + `=%/@:?ä`

func newFake(t *testing.T) fake {
	t.Helper()
	f := fake{dir: t.TempDir()}
	f.engine = filepath.Join(f.dir, "docker")
	bin := filepath.Join(f.dir, "bin")
	require.NoError(t, os.Mkdir(bin, 0o755))
	// This machine may have clients of its own, so its programs are not in sight.
	for _, tool := range []string{"sh", "cat", "tee", "b2sum", "dd", "wc", "sleep", "grep"} {
		path, err := exec.LookPath(tool)
		require.NoError(t, err)
		require.NoError(t, os.Symlink(path, filepath.Join(bin, tool)))
	}
	f.script(t, "docker", `case $1 in
inspect) shift 3; [ "$1" = mysql ] || [ "$1" = 0123 ] || { echo "Error: No such container: $1" >&2; exit 1; }
	cat "$dir/inspect.json" ;;
ps) case "$*" in *label*service=mysql*) echo 0123 ;; *Names*) echo mysql; echo tracker ;; esac ;;
exec) shift 3; `+"\n. \"$dir/exec\"\n"+` ;;
esac
`)
	f.script(t, "bin/mysql", `[ "$1" = --defaults-extra-file=/dev/stdin ] || exit 9
cat >"$dir/option-file"
grep -qxF "$(cat "$dir/expected-login")" "$dir/option-file" || { echo "ERROR 1045 (28000): Access denied for user 'torrust'@'localhost' (using password: YES)" >&2; exit 1; }
mark=${*#*SELECT \'}
for answer in version grants schemata tables; do
	echo "${mark%%\'*}"
	cat "$dir/$answer"
done
`)
	f.script(t, "bin/mysqldump", `case $1 in
--help) cat "$dir/client-version"; echo "  --set-gtid-purged=name"; exit ;;
esac
echo "$@" >>"$dir/dumped"
cat >/dev/null
cat "$dir/said" >&2
[ ! -e "$dir/hangs" ] || exec sleep 600
cat "$dir/dump"
exit "$(cat "$dir/rc")"
`)
	f.put(t, "exec", f.honest())
	f.put(t, "inspect.json", inspectJSON("running"))
	f.put(t, "expected-login", login{user: "torrust", password: password}.optionFile())
	f.put(t, "version", "8.4.8\tMySQL Community Server - GPL\ttorrust@%\n")
	f.put(t, "client-version", "mysqldump  Ver 8.4.8 for Linux on x86_64 (MySQL Community Server - GPL)\n")
	f.put(t, "grants", "GRANT USAGE ON *.* TO `torrust`@`%`\nGRANT ALL PRIVILEGES ON `torrust\\\\_tracker`.* TO `torrust`@`%`\n")
	f.put(t, "schemata", "torrust_tracker\n")
	f.put(t, "tables", "torrust_tracker\tkeys\tBASE TABLE\tInnoDB\t1\ntorrust_tracker\ttorrents\tBASE TABLE\tInnoDB\t2000\n")
	f.put(t, "said", "")
	f.put(t, "rc", "0")
	f.put(t, "dump", dumpText(2000))
	return f
}

// honest is how the engine runs a command in the container.
func (f fake) honest() string {
	return "PATH=" + shell.Quote(filepath.Join(f.dir, "bin")) + ` "$@"` + "\n"
}

func (f fake) put(t *testing.T, name, text string) {
	t.Helper()
	require.NoError(t, os.WriteFile(filepath.Join(f.dir, name), []byte(text), 0o644))
}

func (f fake) get(t *testing.T, name string) string {
	t.Helper()
	data, err := os.ReadFile(filepath.Join(f.dir, name))
	require.NoError(t, err)
	return string(data)
}

func (f fake) script(t *testing.T, name, text string) {
	t.Helper()
	text = "#!/bin/sh\ndir=" + shell.Quote(f.dir) + "\n" + text
	require.NoError(t, os.WriteFile(filepath.Join(f.dir, name), []byte(text), 0o755))
}

func (f fake) params() Params {
	return Params{Engine: f.engine, Container: container.Query{Name: "mysql"}}
}

func inspectJSON(state string) string {
	env := []string{
		"MYSQL_USER=torrust", "MYSQL_PASSWORD=" + password, "MYSQL_DATABASE=torrust_tracker", "MYSQL_ROOT_PASSWORD=root",
	}
	for i, e := range env {
		env[i] = fmt.Sprintf("%q", e)
	}
	return fmt.Sprintf(`[{"Id": "0123", "Name": "/mysql", "Image": "sha256:abc", "State": {"Status": %q},
		"Config": {"Image": "mysql:8.4", "Env": [%s], "Labels": {"com.docker.compose.service": "mysql"}}}]`, state, strings.Join(env, ","))
}

// dumpText is a dump as mysqldump makes it, with that many rows.
func dumpText(rows int) string {
	var b strings.Builder
	b.WriteString("-- MySQL dump 10.13  Distrib 8.4.8, for Linux (x86_64)\n--\n-- Host: localhost    Database: torrust_tracker\n" +
		"-- ------------------------------------------------------\n-- Server version\t8.4.8\n\n" +
		"--\n-- Table structure for table `keys`\n--\n\nDROP TABLE IF EXISTS `keys`;\nCREATE TABLE `keys` (\n  `id` int NOT NULL\n);\n" +
		"CREATE TABLE `torrents` (\n  `id` int NOT NULL\n);\nINSERT INTO `torrents` VALUES ")
	for i := range rows {
		if i > 0 {
			b.WriteString(",")
		}
		fmt.Fprintf(&b, "(%d,'%040x',%d)", i, i*7919, i%5)
	}
	b.WriteString(";\n/*!40111 SET SQL_NOTES=@OLD_SQL_NOTES */;\n\n-- Dump completed\n")
	return b.String()
}
