// Package playbooks holds the playbooks that come with the runner, ready to
// run, so that the binary carries them too.
//
// It never knows what they mean.
package playbooks

import _ "embed"

// BackupSQLiteName is the file name of BackupSQLite.
const BackupSQLiteName = "backup-sqlite.yml"

// BackupSQLite backs up tracker hosts with a SQLite database.
//
//go:embed backup-sqlite.yml
var BackupSQLite []byte
