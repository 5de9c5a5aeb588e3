package stat

import (
	"fmt"
	"strconv"
	"strings"
)

// The type bits of st_mode, see inode(7).
const (
	typeMask = 0o170000
	typeSock = 0o140000
	typeLink = 0o120000
	typeReg  = 0o100000
	typeBlk  = 0o060000
	typeDir  = 0o040000
	typeChr  = 0o020000
	typeFifo = 0o010000
)

// describe makes Ansible's mapping of what the script prints.
func describe(output string) (map[string]any, error) {
	stat := map[string]any{"exists": true, "readable": false, "writeable": false, "executable": false}
	var raw uint64
	rest := output
	for rest != "" {
		line, after, _ := strings.Cut(rest, "\n")
		rest = after
		key, value, ok := strings.Cut(line, "=")
		if !ok {
			continue
		}
		var err error
		switch key {
		case "raw":
			raw, err = strconv.ParseUint(value, 16, 32)
		case "readable", "writeable", "executable":
			stat[key] = true
		case "pw_name", "gr_name", "checksum", "lnk_target", "lnk_source":
			stat[key] = value
		case "atime", "mtime", "ctime":
			stat[key], err = strconv.ParseFloat(value, 64)
		default:
			stat[key], err = strconv.ParseInt(value, 10, 64)
		}
		if err != nil {
			return nil, fmt.Errorf("the host's stat says %q", line)
		}
	}
	if raw == 0 {
		return nil, fmt.Errorf("the host's stat says %q", output)
	}
	modeFacts(stat, raw)
	return stat, nil
}

func modeFacts(stat map[string]any, raw uint64) {
	stat["mode"] = fmt.Sprintf("%04o", raw&0o7777)
	for name, kind := range map[string]uint64{
		"isreg": typeReg, "isdir": typeDir, "islnk": typeLink, "isblk": typeBlk, "ischr": typeChr, "isfifo": typeFifo, "issock": typeSock,
	} {
		stat[name] = raw&typeMask == kind
	}
	stat["isuid"], stat["isgid"] = raw&0o4000 != 0, raw&0o2000 != 0
	for i, name := range []string{"xoth", "woth", "roth", "xgrp", "wgrp", "rgrp", "xusr", "wusr", "rusr"} {
		stat[name] = raw&(1<<i) != 0
	}
}
