// Command runner runs playbooks on hosts over SSH, and brings provably whole
// backups of Torrust trackers home.
package main

import (
	"context"
	"os"

	"github.com/torrust/runner/internal/cli"
)

func main() {
	os.Exit(cli.Main(context.Background(), os.Args[1:], os.Getenv, os.Stdin, os.Stdout, os.Stderr))
}
