package tracker

import (
	"embed"
	"fmt"
	"os"
	"path/filepath"
	"strings"
)

//go:embed host
var hostFiles embed.FS

// layout is what stands below /opt/torrust on a host that the Torrust tracker
// deployer has set up.
var layout = []struct {
	path, from string // from "" makes an empty folder
	mode       os.FileMode
}{
	{"docker-compose.yml", "docker-compose.yml", 0o640},
	{".env", "env", 0o640},
	{"storage/tracker/etc/tracker.toml", "tracker.toml", 0o770},
	{"storage/tracker/lib/database", "", 0o770},
	{"storage/tracker/log", "", 0o770},
	{"storage/prometheus/etc/prometheus.yml", "prometheus.yml", 0o644},
	{"storage/grafana/data", "", 0o755},
	{"storage/grafana/provisioning/datasources/prometheus.yml", "grafana-datasource.yml", 0o644},
	{"storage/grafana/provisioning/dashboards/torrust.yml", "grafana-dashboards.yml", 0o644},
	{"storage/grafana/provisioning/dashboards/torrust/stats.json", "grafana-stats.json", 0o644},
}

// DatabasePath is where the tracker keeps its database, below /opt/torrust.
const DatabasePath = "storage/tracker/lib/database/tracker.db"

// WriteLayout writes the files of a host below torrust. Their secrets are
// made up from the host's name.
func WriteLayout(torrust, name string) error {
	fill := strings.NewReplacer(
		"@TOKEN@", fmt.Sprintf("demo-token-of-%s", name),
		"@PASSWORD@", fmt.Sprintf("demo-password-of-%s", name))
	for _, f := range layout {
		path := filepath.Join(torrust, f.path)
		if f.from == "" {
			if err := os.MkdirAll(path, f.mode); err != nil {
				return err
			}
			continue
		}
		text, err := hostFiles.ReadFile("host/" + f.from)
		if err != nil {
			return err
		}
		if err := os.MkdirAll(filepath.Dir(path), 0o755); err != nil {
			return err
		}
		if err := os.WriteFile(path, []byte(fill.Replace(string(text))), f.mode); err != nil {
			return err
		}
	}
	return nil
}
