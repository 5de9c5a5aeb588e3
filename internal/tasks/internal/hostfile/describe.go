package hostfile

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

// IsDir tells whether it is a folder.
func (f Facts) IsDir() bool { return f.Exists && f.Raw&typeMask == typeDir }

// IsRegular tells whether it is a regular file.
func (f Facts) IsRegular() bool { return f.Exists && f.Raw&typeMask == typeReg }

// IsLink tells whether it is a symbolic link.
func (f Facts) IsLink() bool { return f.Exists && f.Raw&typeMask == typeLink }

// Mode returns the permissions as chmod takes them: "0640".
func (f Facts) Mode() string { return fmt.Sprintf("%04o", f.Raw&0o7777) }

// State names the type as the task kind file does.
func (f Facts) State() string {
	switch {
	case !f.Exists:
		return "absent"
	case f.IsDir():
		return "directory"
	case f.IsLink():
		return "link"
	case f.IsRegular() && f.Links > 1:
		return "hard"
	}
	return "file"
}

// Outputs returns what the kinds that make files return about one.
func (f Facts) Outputs() map[string]any {
	if !f.Exists {
		return map[string]any{"state": "absent"}
	}
	return map[string]any{
		"state": f.State(), "mode": f.Mode(), "size": f.Size,
		"uid": f.UID, "gid": f.GID, "owner": f.User, "group": f.Group,
	}
}

// describe reads what lookScript prints.
func describe(output string) (Facts, error) {
	f := Facts{Exists: true}
	numbers := map[string]*int64{
		"uid": &f.UID, "gid": &f.GID, "size": &f.Size, "inode": &f.Inode, "nlink": &f.Links,
		"dev": &f.Dev, "blocks": &f.Blocks, "block_size": &f.BlockSize,
	}
	times := map[string]*float64{"atime": &f.Atime, "mtime": &f.Mtime, "ctime": &f.Ctime}
	texts := map[string]*string{
		"pw_name": &f.User, "gr_name": &f.Group, "checksum": &f.Checksum, "lnk_target": &f.LinkTarget, "lnk_source": &f.LinkSource,
	}
	flags := map[string]*bool{"readable": &f.Readable, "writeable": &f.Writeable, "executable": &f.Executable, "owner_lost": &f.ownerLost}
	for line := range strings.Lines(output) {
		key, value, _ := strings.Cut(strings.TrimSuffix(line, "\n"), "=")
		var err error
		if to := numbers[key]; to != nil {
			*to, err = strconv.ParseInt(value, 10, 64)
		} else if to := times[key]; to != nil {
			*to, err = strconv.ParseFloat(value, 64)
		} else if to := texts[key]; to != nil {
			*to = value
		} else if to := flags[key]; to != nil {
			*to = true
		} else if key == "raw" {
			var raw uint64
			raw, err = strconv.ParseUint(value, 16, 32)
			f.Raw = uint32(raw)
		}
		if err != nil {
			return Facts{}, fmt.Errorf("the host's stat says %q", line)
		}
	}
	if f.Raw == 0 {
		return Facts{}, fmt.Errorf("the host's stat says %q", output)
	}
	return f, nil
}

// Stat returns the facts as Ansible's stat module does.
func (f Facts) Stat() map[string]any {
	if !f.Exists {
		return map[string]any{"exists": false}
	}
	stat := map[string]any{
		"exists": true, "mode": f.Mode(), "size": f.Size, "uid": f.UID, "gid": f.GID, "pw_name": f.User, "gr_name": f.Group,
		"inode": f.Inode, "nlink": f.Links, "dev": f.Dev, "blocks": f.Blocks, "block_size": f.BlockSize,
		"atime": f.Atime, "mtime": f.Mtime, "ctime": f.Ctime,
		"readable": f.Readable, "writeable": f.Writeable, "executable": f.Executable,
		"isuid": f.Raw&0o4000 != 0, "isgid": f.Raw&0o2000 != 0,
	}
	for name, kind := range map[string]uint32{
		"isreg": typeReg, "isdir": typeDir, "islnk": typeLink, "isblk": typeBlk, "ischr": typeChr, "isfifo": typeFifo, "issock": typeSock,
	} {
		stat[name] = f.Raw&typeMask == kind
	}
	for i, name := range []string{"xoth", "woth", "roth", "xgrp", "wgrp", "rgrp", "xusr", "wusr", "rusr"} {
		stat[name] = f.Raw&(1<<i) != 0
	}
	if f.Checksum != "" {
		stat["checksum"] = f.Checksum
	}
	if f.IsLink() {
		stat["lnk_target"], stat["lnk_source"] = f.LinkTarget, f.LinkSource
	}
	return stat
}
