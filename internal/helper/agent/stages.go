package agent

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"os"

	"github.com/klauspost/pgzip"

	"github.com/torrust/runner/internal/mysqldump"
	"github.com/torrust/runner/internal/tasks/configtar/pack"
)

// fileSource reads a file. One that is written to meanwhile is refused: what
// was read is of no moment.
func fileSource(ctx context.Context, raw json.RawMessage, w io.Writer) (any, error) {
	var p struct {
		Path string `json:"path"`
	}
	if err := json.Unmarshal(raw, &p); err != nil {
		return nil, invalid("the source file: %v", err)
	}
	f, err := os.Open(p.Path)
	if err != nil {
		return nil, err
	}
	defer f.Close()
	before, err := f.Stat()
	if err != nil {
		return nil, err
	}
	if !before.Mode().IsRegular() {
		return nil, invalid("%s is not a regular file", p.Path)
	}
	n, err := io.Copy(w, untilDone{ctx, f})
	if err != nil {
		return nil, err
	}
	after, err := f.Stat()
	if err != nil {
		return nil, err
	}
	if n != before.Size() || after.Size() != before.Size() || !after.ModTime().Equal(before.ModTime()) {
		return nil, &Failure{"changed", p.Path + " was written to while it was read"}
	}
	return map[string]any{"size": n, "mode": fmt.Sprintf("%04o", before.Mode().Perm()), "mtime": before.ModTime()}, nil
}

// untilDone ends reading when ctx does.
type untilDone struct {
	ctx context.Context
	r   io.Reader
}

func (u untilDone) Read(p []byte) (int, error) {
	if cause := context.Cause(u.ctx); cause != nil {
		return 0, cause
	}
	return u.r.Read(p)
}

// tarSource packs files; see package pack.
func tarSource(ctx context.Context, raw json.RawMessage, w io.Writer) (any, error) {
	var p pack.Params
	if err := json.Unmarshal(raw, &p); err != nil {
		return nil, invalid("the source tar: %v", err)
	}
	report, err := pack.Write(ctx, w, p)
	if err == nil {
		return report, nil
	}
	if _, ok := errors.AsType[*pack.ChangedError](err); ok {
		return nil, &Failure{"changed", err.Error()}
	}
	if _, ok := errors.AsType[*pack.SizeError](err); ok {
		return nil, &Failure{"too_big", err.Error()}
	}
	if _, ok := errors.AsType[*pack.ParamsError](err); ok {
		return nil, &Failure{"invalid", err.Error()}
	}
	return nil, err
}

// dumpSource dumps a database server; see package mysqldump.
func dumpSource(ctx context.Context, raw json.RawMessage, w io.Writer) (any, error) {
	var p mysqldump.Params
	if err := json.Unmarshal(raw, &p); err != nil {
		return nil, invalid("the source mysqldump: %v", err)
	}
	report, err := mysqldump.Source(ctx, p, w)
	if refused, ok := errors.AsType[*mysqldump.Error](err); ok {
		return nil, &Failure{refused.Code, refused.Msg}
	}
	return report, err
}

// gzipFilter compresses, on as many cores as there are.
func gzipFilter(raw json.RawMessage, w io.Writer) (io.WriteCloser, error) {
	p := struct {
		Level int `json:"level"`
	}{Level: pgzip.DefaultCompression}
	if len(raw) > 0 {
		if err := json.Unmarshal(raw, &p); err != nil {
			return nil, invalid("the filter gzip: %v", err)
		}
	}
	z, err := pgzip.NewWriterLevel(w, p.Level)
	if err != nil {
		return nil, invalid("the filter gzip: %v", err)
	}
	return z, nil
}
