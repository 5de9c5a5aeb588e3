package pipe

// Place is the end of the connection where a stage runs.
type Place string

// The places.
const (
	OnHost       Place = "host"
	OnController Place = "controller"
)

// Placement returns where each stage runs, for a pipe without mistakes.
//
// Filters follow their source: after a HostSource they run on the host, which
// saves the wire, as long as the helper can run them; after a SpoolSource,
// whose content is whole only on the controller, they run there. on: moves a
// filter, and all after it, to the controller.
func Placement(stages []Stage) []Place {
	places := make([]Place, len(stages))
	at := OnController
	for i, s := range stages {
		switch r := roleOf(s.Task, i, len(stages)-1); r {
		case roleSource:
			places[i] = OnHost
			if _, ok := s.Task.(HostSource); ok {
				at = OnHost
			}
		case roleFilter:
			if s.On == string(OnController) || !canRunOnHost(s) {
				at = OnController
			}
			places[i] = at
		default:
			places[i] = OnController
		}
	}
	return places
}

func canRunOnHost(s Stage) bool {
	f, ok := s.Task.(Filter)
	if !ok {
		return false
	}
	_, ok = f.HostStage()
	return ok
}

// misplaced says why the on: of a stage cannot be honoured; msg is empty if
// it can.
func misplaced(stages []Stage, i int) (hint, msg string) {
	s := stages[i]
	switch s.On {
	case "":
		return "", ""
	case string(OnHost), string(OnController):
	default:
		return "write host or controller", "no such place"
	}
	if r := roleOf(s.Task, i, len(stages)-1); r != roleFilter {
		if places := Placement(stages); string(places[i]) != s.On && r != roleNone {
			return "leave it out", string(r) + " always runs on the " + string(places[i])
		}
		return "", ""
	}
	if s.On == string(OnController) || Placement(stages)[i] == OnHost {
		return "", ""
	}
	if !canRunOnHost(s) {
		return "leave it out", s.Kind + " can run only on the controller"
	}
	if _, ok := stages[0].Task.(HostSource); !ok {
		return "leave it out", "what " + stages[0].Kind + " reads is whole only on the controller"
	}
	return "", "a stage before it runs on the controller"
}
