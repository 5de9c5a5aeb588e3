// Package sink owns how the events of a run are shown and kept: the console
// with Ansible's lines, JSON lines for programs, and a log for finding out
// what the runner itself did.
//
// It never knows connections, plans or playbooks, and it never masks: events
// come with their secrets masked already.
package sink
