package find

import (
	"bufio"
	"bytes"
	"context"
	"errors"
	"fmt"
	"io"
	"slices"
	"strconv"
	"strings"

	"github.com/torrust/runner/internal/conn"
	"github.com/torrust/runner/internal/tasks"
	"github.com/torrust/runner/internal/tasks/internal/hostfile"
)

// listScript prints the host's clock, and then each file below the other
// arguments, fields and records ended by a zero byte. $1 is -L to follow links
// or nothing, $2 the greatest depth. What cannot be looked at goes to stderr.
const listScript = `
follow=$1 depth=$2
shift 2
printf '%s\0' "$(date +%s)"
LC_ALL=C find $follow "$@" -mindepth 1 -maxdepth "$depth" \
  -printf '%y\0%m\0%s\0%U\0%G\0%u\0%g\0%A@\0%T@\0%C@\0%i\0%n\0%D\0%l\0%p\0'
exit 0`

// fields is how many fields a record has.
const fields = 15

// maxFiles bounds what becomes a value.
const maxFiles = 20000

// findings is what a list came to.
type findings struct {
	files    []any
	examined int
	skipped  map[string]any
}

func (t *task) list(ctx context.Context, h tasks.Host) (*findings, error) {
	follow, depth := "", "1"
	if t.Follow {
		follow = "-L"
	}
	if t.Recurse {
		depth = "1000"
		if t.Depth > 0 {
			depth = strconv.Itoa(t.Depth)
		}
	}
	paths := make([]string, len(t.Paths))
	for i, p := range t.Paths {
		var err error
		if paths[i], err = hostfile.Home(ctx, h, p); err != nil {
			return nil, err
		}
	}
	out, in := io.Pipe()
	var complaint bytes.Buffer
	done := make(chan error, 1)
	go func() {
		argv := append(append(conn.Shell(listScript), "sh", follow, depth), paths...)
		err := h.Conn.Run(ctx, conn.Cmd{Argv: argv, Stdout: in, Stderr: &complaint})
		_ = in.CloseWithError(err) // never fails
		done <- err
	}()
	found, err := t.read(out)
	_ = out.CloseWithError(errors.New("enough")) // the command ends with its output
	if runErr := <-done; err == nil {
		err = runErr
	}
	if err != nil {
		return nil, err
	}
	found.skipped = skipped(complaint.String())
	slices.SortFunc(found.files, func(a, b any) int {
		return strings.Compare(a.(map[string]any)["path"].(string), b.(map[string]any)["path"].(string))
	})
	return found, nil
}

// read reads what the script prints.
func (t *task) read(r io.Reader) (*findings, error) {
	b := bufio.NewReader(r)
	first, err := b.ReadString(0)
	if err != nil {
		return nil, fmt.Errorf("the host's find says nothing: %w", err)
	}
	now, err := strconv.ParseFloat(strings.TrimSuffix(first, "\x00"), 64)
	if err != nil {
		return nil, fmt.Errorf("the host's clock says %q", first)
	}
	admits, err := t.filter(now)
	if err != nil {
		return nil, err
	}
	found := &findings{files: []any{}}
	for {
		record := make([]string, fields)
		for i := range record {
			field, err := b.ReadString(0)
			if errors.Is(err, io.EOF) && i == 0 && field == "" {
				return found, nil
			}
			if err != nil {
				return nil, fmt.Errorf("the host's list ends early: %w", err)
			}
			record[i] = strings.TrimSuffix(field, "\x00")
		}
		found.examined++
		e, err := parse(record)
		if err != nil {
			return nil, err
		}
		if !admits(e) {
			continue
		}
		if len(found.files) == maxFiles {
			return nil, fmt.Errorf("more than %d files match", maxFiles)
		}
		stat := e.Stat()
		stat["path"] = e.path
		for _, unknown := range []string{"exists", "readable", "writeable", "executable", "blocks", "block_size"} {
			delete(stat, unknown) // find does not tell
		}
		found.files = append(found.files, stat)
	}
}

// skipped reads find's complaints: "find: ‘/x’: Permission denied".
func skipped(complaints string) map[string]any {
	out := map[string]any{}
	for line := range strings.Lines(complaints) {
		line = strings.TrimSpace(strings.TrimPrefix(strings.TrimSpace(line), "find:"))
		name, why, ok := strings.Cut(line, ": ")
		if ok {
			out[strings.Trim(name, "'`‘’")] = why
		} else if line != "" {
			out[line] = "unknown"
		}
	}
	return out
}

// entry is one file.
type entry struct {
	hostfile.Facts
	path string
}

func parse(r []string) (entry, error) {
	e := entry{path: r[14]}
	e.Exists, e.User, e.Group, e.LinkTarget = true, r[5], r[6], r[13]
	mode, err := strconv.ParseUint(r[1], 8, 32)
	kind := map[string]uint32{"f": 0o100000, "d": 0o040000, "l": 0o120000, "b": 0o060000, "c": 0o020000, "p": 0o010000, "s": 0o140000, "N": 0o120000, "L": 0o120000}[r[0]]
	e.Raw = kind | uint32(mode)
	for i, to := range map[int]*int64{2: &e.Size, 3: &e.UID, 4: &e.GID, 10: &e.Inode, 11: &e.Links, 12: &e.Dev} {
		var err2 error
		*to, err2 = strconv.ParseInt(r[i], 10, 64)
		err = errors.Join(err, err2)
	}
	for i, to := range map[int]*float64{7: &e.Atime, 8: &e.Mtime, 9: &e.Ctime} {
		var err2 error
		*to, err2 = strconv.ParseFloat(r[i], 64)
		err = errors.Join(err, err2)
	}
	if err != nil || kind == 0 {
		return e, fmt.Errorf("the host's find says %q", strings.Join(r, " "))
	}
	return e, nil
}
