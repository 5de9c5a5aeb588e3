// Command cmd is the helper: the small program that the runner puts on a host.
package main

import (
	"os"

	"github.com/torrust/runner/internal/helper/agent"
)

func main() { os.Exit(agent.Main()) }
