// Package dockerd owns a Docker daemon of its own, with real database servers
// in containers, for tests and comparisons. Everything that it makes is below
// one folder, and goes with Close.
//
// It never knows what is tested.
package dockerd

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"time"
)

// ErrMissing reports that this machine cannot run the daemon.
var ErrMissing = errors.New("needs root, dockerd, and images of servers (e2e/docker/build-images)")

// Daemon is a daemon that runs. It is safe for concurrent use but for Close.
type Daemon struct {
	Socket string
	dir    string
	cmd    *exec.Cmd
	ended  chan struct{}
}

// Images returns the folder with the servers' images: $E2E_IMAGES, or the
// cache of the user.
func Images() string {
	if dir := os.Getenv("E2E_IMAGES"); dir != "" {
		return dir
	}
	cache, err := os.UserCacheDir()
	if err != nil {
		return ""
	}
	return filepath.Join(cache, "runner-e2e")
}

// startup is how long the daemon, and a server in it, may take to start.
const startup = 60 * time.Second

// Start starts a daemon in dir. Its containers have no network but their own.
func Start(ctx context.Context, dir string) (*Daemon, error) {
	program, err := exec.LookPath("dockerd")
	if err != nil || os.Getuid() != 0 {
		return nil, ErrMissing
	}
	for _, name := range []string{"mysql", "mariadb"} {
		if _, err := os.Stat(filepath.Join(Images(), name+".tar")); err != nil {
			return nil, fmt.Errorf("%w: %w", ErrMissing, err)
		}
	}
	d := &Daemon{Socket: filepath.Join(dir, "docker.sock"), dir: dir, ended: make(chan struct{})}
	log, err := os.Create(filepath.Join(dir, "dockerd.log"))
	if err != nil {
		return nil, err
	}
	defer log.Close()
	d.cmd = exec.Command(program, "--data-root", filepath.Join(dir, "data"), "--exec-root", filepath.Join(dir, "exec"),
		"--pidfile", filepath.Join(dir, "pid"), "--host", "unix://"+d.Socket, "--iptables=false", "--bridge=none")
	d.cmd.Stdout, d.cmd.Stderr = log, log
	if err := d.cmd.Start(); err != nil {
		return nil, err
	}
	go func() { _ = d.cmd.Wait(); close(d.ended) }()
	ctx, cancel := context.WithTimeout(ctx, startup)
	defer cancel()
	for {
		if _, err = d.Docker(ctx, "version"); err == nil {
			return d, nil
		}
		select {
		case <-d.ended:
			return nil, errors.Join(fmt.Errorf("dockerd has ended: %s", d.Log()), d.Close())
		case <-ctx.Done():
			return nil, errors.Join(fmt.Errorf("dockerd does not answer: %w\n%s", err, d.Log()), d.Close())
		case <-time.After(100 * time.Millisecond):
		}
	}
}

// Log returns the last of what the daemon has said.
func (d *Daemon) Log() string {
	data, err := os.ReadFile(filepath.Join(d.dir, "dockerd.log"))
	if err != nil {
		return err.Error()
	}
	return string(data[max(0, len(data)-4096):])
}

// Env returns the variable that leads Docker's command line to the daemon.
func (d *Daemon) Env() string { return "DOCKER_HOST=unix://" + d.Socket }

// Docker runs Docker's command line, and returns its standard output.
func (d *Daemon) Docker(ctx context.Context, args ...string) (string, error) {
	return d.Input(ctx, "", args...)
}

// Input is Docker with a text as standard input.
func (d *Daemon) Input(ctx context.Context, text string, args ...string) (string, error) {
	cmd := exec.CommandContext(ctx, "docker", args...)
	cmd.Env = append(os.Environ(), d.Env())
	cmd.Stdin = strings.NewReader(text)
	var stdout, stderr bytes.Buffer
	cmd.Stdout, cmd.Stderr = &stdout, &stderr
	if err := cmd.Run(); err != nil {
		return stdout.String(), fmt.Errorf("docker %s: %w: %s", args[0], err, strings.TrimSpace(stderr.String()))
	}
	return stdout.String(), nil
}

// Server is a database server in a container.
type Server struct {
	Name     string // of the container
	Vendor   string // "mysql" or "mariadb", the name of the image and of its client
	Root     string // root's password
	User     string // of the database; has all rights in it, and no others
	Password string
	daemon   *Daemon
}

// Database is the name of every server's database.
const Database = "torrust_tracker"

// Serve starts a server, and waits until it answers. args are further
// arguments of docker run.
func (d *Daemon) Serve(ctx context.Context, s Server, args ...string) (*Server, error) {
	s.daemon = d
	if _, err := d.Docker(ctx, "image", "inspect", s.Vendor); err != nil {
		tar := filepath.Join(Images(), s.Vendor+".tar")
		if _, err := d.Docker(ctx, "import", "--change", `ENTRYPOINT ["/entrypoint"]`, tar, s.Vendor); err != nil {
			return nil, err
		}
	}
	run := []string{"run", "--detach", "--name", s.Name, "--network", "none",
		"--env", "MYSQL_ROOT_PASSWORD=" + s.Root, "--env", "MYSQL_DATABASE=" + Database, "--env", "MYSQL_USER=" + s.User, "--env", "MYSQL_PASSWORD=" + s.Password}
	if _, err := d.Docker(ctx, append(append(run, args...), s.Vendor)...); err != nil {
		return nil, err
	}
	ctx, cancel := context.WithTimeout(ctx, startup)
	defer cancel()
	for {
		// The first start has a server for a moment that has no users yet.
		_, err := s.SQL(ctx, "", "SELECT 1")
		if err == nil {
			return &s, nil
		}
		select {
		case <-ctx.Done():
			logs := exec.Command("docker", "logs", "--tail", "20", s.Name)
			logs.Env = append(os.Environ(), d.Env())
			said, _ := logs.CombinedOutput()
			return nil, fmt.Errorf("the server %s does not answer: %w\n%s", s.Name, err, said)
		case <-time.After(200 * time.Millisecond):
		}
	}
}

// SQL runs statements as root, and returns what they give, without headings.
func (s *Server) SQL(ctx context.Context, database, statements string) (string, error) {
	return s.daemon.Input(ctx, statements, "exec", "--interactive", "--env", "MYSQL_PWD="+s.Root, s.Name,
		s.Vendor, "--user=root", "--batch", "--skip-column-names", "--default-character-set=utf8mb4", database)
}

// Close ends the daemon with all of its containers, and removes what they have
// left. The folder stays.
func (d *Daemon) Close() error {
	ctx, cancel := context.WithTimeout(context.Background(), startup)
	defer cancel()
	if all, err := d.Docker(ctx, "ps", "--all", "--quiet"); err == nil && all != "" {
		_, _ = d.Docker(ctx, append([]string{"rm", "--force", "--volumes"}, strings.Fields(all)...)...)
	}
	_ = d.cmd.Process.Signal(os.Interrupt)
	select {
	case <-d.ended:
	case <-ctx.Done():
		_ = d.cmd.Process.Kill()
		<-d.ended
	}
	var errs []error
	for _, name := range []string{"data", "exec"} {
		if err := os.RemoveAll(filepath.Join(d.dir, name)); err != nil && !errors.Is(err, fs.ErrNotExist) {
			errs = append(errs, err)
		}
	}
	return errors.Join(errs...)
}
