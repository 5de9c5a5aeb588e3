package cli

import (
	"errors"
	"time"

	"github.com/torrust/runner/internal/tasks"
)

// secondsValue is a flag that takes a number of seconds, as Ansible's do, or a
// duration with its unit.
type secondsValue time.Duration

// Set implements pflag.Value.
func (v *secondsValue) Set(text string) error {
	d, err := tasks.ParseDuration(text)
	if err == nil && d <= 0 {
		err = errors.New("it must be more than nothing")
	}
	*v = secondsValue(d)
	return err
}

// String implements pflag.Value.
func (v *secondsValue) String() string {
	if *v == 0 {
		return ""
	}
	return time.Duration(*v).String()
}

// Type implements pflag.Value.
func (v *secondsValue) Type() string { return "time" }
