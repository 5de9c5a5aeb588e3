package mysqldump

import (
	"github.com/torrust/runner/internal/mysqldump"
	"github.com/torrust/runner/internal/tasks/internal/advice"
)

// refusals says what to do about a refusal of the host.
var refusals = advice.ByCode{
	mysqldump.CodeForbidden:    "add become: true to the task, or put the login user into the group docker",
	mysqldump.CodeNoEngine:     "does Docker run? For a server without a container leave container and service out",
	mysqldump.CodeContainer:    "docker ps -a lists the containers; the task starts none",
	mysqldump.CodeClient:       "dump with the client of the server's own image: give container or service",
	mysqldump.CodeCredentials:  "give login_user and login_password (from a vault), env_file, or password_file",
	mysqldump.CodeLogin:        "was the password changed? Mend that place, or give env_file, password_file or login_password",
	mysqldump.CodeServer:       "docker logs of the container says how the server fares",
	mysqldump.CodeGrants:       "the least rights are SELECT, SHOW VIEW, TRIGGER, EVENT and EXECUTE on the database",
	mysqldump.CodeSchema:       "compare databases and tables with what the server has",
	mysqldump.CodeUnsafe:       "ALTER TABLE … ENGINE=InnoDB, exclude the table, or write non_transactional: warn",
	mysqldump.CodeDDL:          "was the tracker updated just now? Run it again",
	mysqldump.CodeClientFailed: "what the client says is in the message; nothing was kept",
	mysqldump.CodeCut:          "nothing was kept. Run it again; if it stays so, the container engine of this host loses output",
	mysqldump.CodeSilent:       "raise stall_timeout if a condition leaves out nearly all rows of a big table",
}
