# Runs the Autobahn suite by FOLDER/spec.json, with Python 2.7, and prints how each case and its connection ended.
# No report, or an empty one, is an error.
import json
import re
import sys
import types

import twisted.internet

# The suite imports TLS even where it needs none.
tls = types.ModuleType("ssl")
tls.ClientContextFactory = object
twisted.internet.ssl = sys.modules["twisted.internet.ssl"] = tls

from autobahntestsuite.wstest import run

folder = sys.argv[1]
sys.argv[1:] = ["--mode", "fuzzingclient", "--spec", folder + "/spec.json"]
stdout, sys.stdout = sys.stdout, open(folder + "/log.txt", "w")
run()
with open(folder + "/reports/index.json") as index:
    cases = json.load(index).get("ours")
if not cases:
    sys.exit("error: no case ran; read " + folder + "/log.txt")


def order(case):
    return [int(number) for number in re.findall(r"\d+", case)]


row = '  "{}": ["{}", "{}"]'.format
rows = [row(case, cases[case]["behavior"], cases[case]["behaviorClose"]) for case in sorted(cases, key=order)]
stdout.write("{\n" + ",\n".join(rows) + "\n}\n")
