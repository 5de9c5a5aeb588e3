package compose

import (
	"fmt"
	"os"

	"github.com/compose-spec/compose-go/v2/dotenv"
)

// ReadEnv reads an environment file as docker compose does. No error quotes
// what the file holds.
func ReadEnv(path string) (map[string]string, error) {
	f, err := os.Open(path)
	if err != nil {
		return nil, err
	}
	defer f.Close()
	// Every name has a value, an empty one at least: the library would tell
	// the world about the others.
	vars, err := dotenv.ParseWithLookup(f, func(string) (string, bool) { return "", true })
	if err != nil {
		return nil, fmt.Errorf("%s is not an environment file that docker compose would read", path)
	}
	return vars, nil
}
