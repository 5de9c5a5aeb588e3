package window

import (
	"fmt"

	"github.com/torrust/runner/internal/tasks/internal/advice"
	"github.com/torrust/runner/internal/window"
)

// failures says what to do about a failure on the host.
var failures = advice.ByCode{
	window.CodeNoEngine:  "does Docker run on the host?",
	window.CodeForbidden: "add become: true to the block, or put the login user into the group docker",
	window.CodeContainer: "docker ps -a lists the containers",
	window.CodeBusy:      "is another run at work on this host? Its window ends with it",
	window.CodeStop:      "what was stopped already runs again",
	window.CodeStart:     "look at the host now: docker ps -a, docker logs",
	window.CodeUnhealthy: "look at the host now: docker ps -a, docker logs. healthy_timeout says how long to wait",
	window.CodeDeadline:  "raise max, or take less into the block",
	window.CodeKeeper:    "was the host short of memory? Run it again",
}

// brokenWindow says that a window has ended before its block. A link that was
// lost meanwhile is not that of this task: it is not wrapped.
func brokenWindow(why error, now string) error {
	err := fmt.Errorf("the window did not last until the end of the block, so what was done in it counts for nothing: %v; %s", why, now)
	return failures.With(err, why)
}
