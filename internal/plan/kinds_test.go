package plan_test

import (
	"context"
	"encoding/json"
	"errors"
	"io"
	"os"

	"github.com/torrust/runner/internal/catalog"
	"github.com/torrust/runner/internal/helper"
	"github.com/torrust/runner/internal/pipe"
	"github.com/torrust/runner/internal/tasks"
)

// The kinds of these tests have the parameters and the roles of the real
// ones, and do nothing.

type idle struct{}

func (idle) Run(context.Context, tasks.Host) (tasks.Result, error) { return tasks.Result{}, nil }

type command struct {
	idle
	Cmd     string   `arg:"cmd"`
	Argv    []string `arg:"argv"`
	Chdir   string   `arg:"chdir"`
	Creates string   `arg:"creates"`
}

type copying struct {
	idle
	Src     string     `arg:"src"`
	Content string     `arg:"content"`
	Dest    string     `arg:"dest,required"`
	Mode    tasks.Mode `arg:"mode"`
}

type debug struct {
	idle
	Msg string     `arg:"msg"`
	Var tasks.Expr `arg:"var"`
}

type asserting struct {
	idle
	That []tasks.Expr `arg:"that,required"`
	Fail string       `arg:"fail_msg"`
}

type stat struct {
	idle
	Path string `arg:"path,required"`
}

type facts struct {
	idle
	Rest map[string]any `arg:",rest"`
}

type sqliteCopy struct {
	idle
	Src string `arg:"src,required"`
}

func (sqliteCopy) Spool(context.Context, tasks.Host, *os.File) (pipe.Outcome, error) {
	return pipe.Outcome{}, nil
}
func (sqliteCopy) Prove(context.Context, tasks.Host, string) ([]catalog.Proof, error) {
	return nil, nil
}
func (sqliteCopy) Origin() string { return "" }

type configTar struct {
	idle
	Root     string   `arg:"root"`
	Paths    []string `arg:"paths,required"`
	Optional []string `arg:"optional"`
}

func (configTar) HostStage(context.Context, tasks.Host) (helper.Stage, error) {
	return helper.Stage{}, nil
}
func (configTar) Accept(context.Context, tasks.Host, json.RawMessage, helper.Measure) (pipe.Outcome, error) {
	return pipe.Outcome{}, nil
}
func (configTar) Origin() string { return "" }

type gzip struct {
	idle
	Level int `arg:"level"`
}

func (gzip) HostStage() (helper.Stage, bool)          { return helper.Stage{}, true }
func (gzip) Wrap(w io.Writer) (io.WriteCloser, error) { return nil, nil }

type verifySize struct {
	idle
	Path string     `arg:"path,required" use:"alone"`
	Min  tasks.Size `arg:"min"`
}

func (verifySize) Judge(helper.Measure, *catalog.Artifact) (catalog.Proof, error) {
	return catalog.Proof{}, nil
}

func (v *verifySize) Validate() error {
	if v.Min == 0 {
		return errors.New("nothing to verify")
	}
	return nil
}

type fetch struct {
	idle
	Src  string `arg:"src,required" use:"alone"`
	Dest string `arg:"dest,required"`
	Flat bool   `arg:"flat" use:"alone"`
}

func (fetch) ArtifactName() (string, error) { return "", nil }

func registry() *tasks.Registry {
	return tasks.NewRegistry(
		tasks.Spec{Name: "command", FreeForm: "cmd", New: func() tasks.Task { return &command{} }},
		tasks.Spec{Name: "shell", FreeForm: "cmd", New: func() tasks.Task { return &command{} }},
		tasks.Spec{Name: "copy", New: func() tasks.Task { return &copying{} }},
		tasks.Spec{Name: "debug", New: func() tasks.Task { return &debug{} }},
		tasks.Spec{Name: "assert", New: func() tasks.Task { return &asserting{} }},
		tasks.Spec{Name: "stat", New: func() tasks.Task { return &stat{} }},
		tasks.Spec{Name: "set_fact", AnyArgs: true, New: func() tasks.Task { return &facts{} }},
		tasks.Spec{Name: "sqlite_copy", New: func() tasks.Task { return &sqliteCopy{} }},
		tasks.Spec{Name: "config_tar", New: func() tasks.Task { return &configTar{} }},
		tasks.Spec{Name: "gzip", New: func() tasks.Task { return &gzip{} }},
		tasks.Spec{Name: "verify_size", New: func() tasks.Task { return &verifySize{} }},
		tasks.Spec{Name: "fetch", New: func() tasks.Task { return &fetch{} }},
	)
}
