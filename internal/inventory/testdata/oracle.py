# Answers what Ansible makes of inventories. Reads a JSON object a line:
# {"sources": [...], "patterns": [...]}; writes one for each: {"list": what
# ansible-inventory --list prints, "export": the same with --export, "hosts":
# {pattern: names}}, or {"error": ...}.
import json
import os
import sys

os.environ["ANSIBLE_INVENTORY_UNPARSED_FAILED"] = "1"
os.environ["ANSIBLE_INVENTORY_ANY_UNPARSED_IS_FAILED"] = "1"
os.environ["ANSIBLE_DEVEL_WARNING"] = "0"
answers = os.fdopen(os.dup(1), "w")
os.dup2(2, 1)  # Ansible's warnings must not mix with the answers

from ansible import context
from ansible.cli.inventory import InventoryCLI
from ansible.inventory.manager import InventoryManager
from ansible.module_utils.common.collections import ImmutableDict
from ansible.parsing.ajson import AnsibleJSONEncoder
from ansible.parsing.dataloader import DataLoader
from ansible.utils.display import Display
from ansible.vars.manager import VariableManager

Display.display = lambda *args, **kwargs: None


cli = InventoryCLI(["ansible-inventory", "-i", "none,", "--list"])
cli.parse()


def listed(inventory, loader, export):
    context.CLIARGS = ImmutableDict({**context.CLIARGS, "export": export})
    cli.loader, cli.inventory = loader, inventory
    cli.vm = VariableManager(loader=loader, inventory=inventory)
    return cli.json_inventory(cli._get_group("all"))


def answer(question):
    loader = DataLoader()
    inventory = InventoryManager(loader=loader, sources=question["sources"])
    hosts = {}
    for pattern in question["patterns"]:
        try:
            hosts[pattern] = [host.get_name() for host in inventory.list_hosts(pattern)]
        except Exception as error:
            hosts[pattern] = "error: %s" % error
    return {"list": listed(inventory, loader, False), "export": listed(inventory, loader, True), "hosts": hosts}


for line in sys.stdin:
    try:
        result = answer(json.loads(line))
    except Exception as error:
        result = {"error": "%s: %s" % (type(error).__name__, error)}
    answers.write(json.dumps(result, cls=AnsibleJSONEncoder) + "\n")
    answers.flush()
