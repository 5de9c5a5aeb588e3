package mysqldump

import (
	"strings"

	"github.com/torrust/runner/internal/conn/shell"
)

// Both scripts run in the container, by its sh. They read an option file from
// their standard input, up to a line that is the mark, then wait beside their
// work for the end of that input: it means that the runner has gone, and they
// end everything that they have started. An engine leaves a command running
// when whoever asked for it is killed (moby issue 9098).
//
// What they report themselves goes to standard error, behind the mark.
const prologue = `exec 3>&1 4>&2 5<&0
conf=
while IFS= read -r l && [ "$l" != "$mark" ]; do conf="$conf$l
"; done
[ "$l" = "$mark" ] || exit 96
for p in cat tee wc; do
	command -v $p >/dev/null || { echo "$mark lacks $p" >&4; exit 97; }
done
( trap '' TERM; while read -r _; do :; done; kill -TERM 0; sleep 2; kill -KILL 0 ) <&5 >/dev/null 2>&1 3>&- 4>&- 5<&- &
w=$!
with_login() { printf %s "$conf" | HOME=$home "$@" 3>&- 4>&- 5<&-; }
`

// epilogue ends the one that waits. It is killed outright, and its end is no
// news.
const epilogue = `{ kill -KILL $w; wait $w; } 2>/dev/null
exit 0
`

// header sets the variables of a script. Without a login of ours the client
// finds the home of its user, and the option file in it; otherwise that file
// could only gainsay us.
func header(mark string, l login) string {
	home := "/nonexistent"
	if l.user == "" {
		home = `"${HOME:-/}"`
	}
	return "mark=" + shell.Quote(mark) + "\nhome=" + home + "\n"
}

// probed are the options that only some clients have.
var probed = []string{"init-command", "set-gtid-purged", "column-statistics", "masking-policies", "network-timeout"}

// lookScript finds the client, and asks the server with statements.
func lookScript(client string, statements []string) string {
	candidates := "mariadb-dump mysqldump"
	if client != "" {
		candidates = shell.Quote(client)
	}
	var b strings.Builder
	b.WriteString(prologue)
	b.WriteString("for c in " + candidates + "; do command -v \"$c\" >/dev/null && break; c=; done\n")
	b.WriteString(`[ -n "$c" ] || { echo "$mark no client that dumps" >&4; exit 97; }
echo "$mark client $c"
help=$("$c" --help </dev/null)
echo "$mark version ${help%%"
"*}"
for o in ` + strings.Join(probed, " ") + `; do
	case $help in *"--$o"*) echo "$mark has $o" ;; esac
done
for d in ` + programs() + `; do command -v $d >/dev/null && break; d=; done
[ -n "$d" ] || { echo "$mark lacks sha256sum" >&4; exit 97; }
echo "$mark digest $d"
for q in mariadb mysql; do command -v $q >/dev/null && break; q=; done
[ -n "$q" ] || { echo "$mark no client mysql or mariadb" >&4; exit 97; }
`)
	// One login for all: each takes its time.
	b.WriteString("with_login $q --defaults-extra-file=/dev/stdin --batch --skip-column-names --default-character-set=utf8mb4 -e ")
	for _, s := range statements {
		b.WriteString(`"SELECT '$mark answer'; "` + shell.Quote(s+"; "))
	}
	b.WriteString(" || { echo \"$mark rc $?\" >&4; " + strings.ReplaceAll(strings.TrimSpace(epilogue), "\n", "; ") + "; }\n")
	b.WriteString("echo \"$mark rc 0\" >&4\n")
	b.WriteString(epilogue)
	return b.String()
}

// dumpScript runs the commands one after the other, and measures what they
// write where they write it: an engine can lose the end of what it carries, and
// still report success (moby issue 49655).
//
// Clients write 4 KiB at a time, and an engine has a price for each piece: in
// pieces of 64 KiB a dump comes through up to half as fast again.
func dumpScript(commands [][]string, d digest) string {
	var b strings.Builder
	b.WriteString(prologue)
	b.WriteString("dumps() {\n\tr=0\n")
	for _, c := range commands {
		words := shell.Join(append([]string{c[0], "--defaults-extra-file=/dev/stdin"}, c[1:]...))
		b.WriteString("\t[ $r = 0 ] && { with_login " + words + " 2>&4 || r=$?; }\n")
	}
	b.WriteString("\techo \"$mark rc $r\" >&4\n}\n")
	b.WriteString(`blocks="dd bs=64k iflag=fullblock"
$blocks count=0 </dev/null >/dev/null 2>&1 || blocks=cat
{
	dumps | $blocks 2>/dev/null | tee /dev/fd/3 /dev/fd/6 | ` + d.program + ` | { read -r s _; echo "$mark digest $s" >&4; }
} 6>&1 | { c=$(wc -c); echo "$mark bytes" $c >&4; }
`)
	b.WriteString(epilogue)
	return b.String()
}
