package pack

import (
	"archive/tar"
	"errors"
	"io/fs"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"syscall"
)

// inode identifies a file among its names.
type inode struct{ dev, ino uint64 }

// entry is a file below a folder that nothing may lead out of: another user
// of the host may swap a folder for a link at any moment.
type entry struct {
	root *os.Root
	rel  string // below root
	path string // absolute, for people and for the archive
	info fs.FileInfo
}

// pack packs what is at an absolute path, and all below it.
func (k *packer) pack(path string) error {
	info, err := os.Lstat(path)
	if err != nil {
		return k.orVanished(path, err)
	}
	dir, rel := path, "."
	if !info.IsDir() {
		dir, rel = filepath.Split(path)
	}
	root, err := os.OpenRoot(dir)
	if err != nil {
		return k.orVanished(path, err)
	}
	defer root.Close()
	return k.walk(entry{root: root, rel: rel, path: path})
}

// orVanished forgives a file that went away, with a word.
func (k *packer) orVanished(path string, err error) error {
	if errors.Is(err, fs.ErrNotExist) {
		k.skip(path, "vanished while the archive was made")
		return nil
	}
	return err
}

func (k *packer) walk(e entry) (err error) {
	if err := k.ctx.Err(); err != nil {
		return err
	}
	if k.seen[e.path] || k.excluded(e.path) {
		return nil
	}
	if e.info, err = e.root.Lstat(e.rel); err != nil {
		return k.orVanished(e.path, err)
	}
	k.seen[e.path] = true
	switch e.info.Mode().Type() {
	case 0:
		return k.file(e)
	case fs.ModeDir:
		return k.dir(e)
	case fs.ModeSymlink:
		return k.link(e)
	}
	k.skip(e.path, kindOf(e.info.Mode())+" cannot be packed")
	return nil
}

func kindOf(mode fs.FileMode) string {
	switch {
	case mode&fs.ModeSocket != 0:
		return "a socket"
	case mode&fs.ModeNamedPipe != 0:
		return "a named pipe"
	}
	return "a device"
}

func (k *packer) dir(e entry) error {
	f, _, err := e.open()
	if err != nil {
		return k.orVanished(e.path, err)
	}
	names, err := f.Readdirnames(-1)
	if err = errors.Join(err, f.Close()); err != nil {
		return err
	}
	slices.Sort(names)
	k.report.Dirs++
	if err := k.tw.WriteHeader(header(e.path+"/", e.info, tar.TypeDir)); err != nil {
		return err
	}
	for _, name := range names {
		below := entry{root: e.root, rel: filepath.Join(e.rel, name), path: filepath.Join(e.path, name)}
		if err := k.walk(below); err != nil {
			return err
		}
	}
	return nil
}

func (k *packer) link(e entry) error {
	target, err := e.root.Readlink(e.rel)
	if err != nil {
		return k.orVanished(e.path, err)
	}
	k.report.Links++
	h := header(e.path, e.info, tar.TypeSymlink)
	h.Linkname = target
	return k.tw.WriteHeader(h)
}

// open opens what info is about, and nothing that has taken its name since. It
// does not block on what is no regular file.
func (e entry) open() (*os.File, fs.FileInfo, error) {
	f, err := e.root.OpenFile(e.rel, os.O_RDONLY|syscall.O_NOFOLLOW|syscall.O_NONBLOCK, 0)
	if errors.Is(err, syscall.ELOOP) {
		return nil, nil, fs.ErrNotExist
	}
	if err != nil {
		return nil, nil, err
	}
	info, err := f.Stat()
	if err == nil && info.Mode().Type() != e.info.Mode().Type() {
		err = fs.ErrNotExist
	}
	if err != nil {
		return nil, nil, errors.Join(err, f.Close())
	}
	return f, info, nil
}

// header describes a file with numbers for its owners: names differ between
// hosts.
func header(path string, info fs.FileInfo, kind byte) *tar.Header {
	h := &tar.Header{
		Typeflag: kind, Name: strings.TrimPrefix(path, "/"), ModTime: info.ModTime(),
		Mode: int64(info.Mode().Perm()), Format: tar.FormatPAX,
	}
	for flag, bit := range map[fs.FileMode]int64{fs.ModeSetuid: 0o4000, fs.ModeSetgid: 0o2000, fs.ModeSticky: 0o1000} {
		if info.Mode()&flag != 0 {
			h.Mode |= bit
		}
	}
	if st, ok := info.Sys().(*syscall.Stat_t); ok {
		h.Uid, h.Gid = int(st.Uid), int(st.Gid)
	}
	return h
}
