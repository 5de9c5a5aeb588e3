# Answers what Ansible makes of templates. Reads a JSON object a line:
# {"text": ..., "vars": {...}}; writes {"value": ..., "plain": ...} or {"error":
# ...} for each: what comes of it with native types, and without.
import json
import os
import sys

os.environ["ANSIBLE_JINJA2_NATIVE"] = "1"
answers = os.fdopen(os.dup(1), "w")
os.dup2(2, 1)  # Ansible's warnings must not mix with the answers

from ansible.parsing.dataloader import DataLoader
from ansible.template import AnsibleEnvironment, Templar
from ansible.utils.display import Display

Display.display = lambda *args, **kwargs: None
loader = DataLoader()

for line in sys.stdin:
    question = json.loads(line)
    try:
        templar = Templar(loader=loader, variables=question["vars"])
        native = templar.template(question["text"])
        plain = templar.copy_with_new_env(environment_class=AnsibleEnvironment).template(question["text"])
        text = json.dumps({"value": native, "plain": plain}, allow_nan=False)
    except Exception as error:
        text = json.dumps({"error": "%s: %s" % (type(error).__name__, error)})
    answers.write(text + "\n")
    answers.flush()
