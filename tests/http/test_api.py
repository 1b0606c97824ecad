"""All HTTP tests: every test_api_*.py of this folder, one after the other.

  test_api.py LEADFIT [NAME …]     LEADFIT is the built program; a NAME such as
                                   `score` runs test_api_score.py alone
"""

import importlib
import os
import sys

from harness import run_module

HERE = os.path.dirname(os.path.abspath(__file__))


def main():
    if len(sys.argv) < 2:
        sys.exit(__doc__)
    program, wanted = os.path.abspath(sys.argv[1]), sys.argv[2:]
    names = sorted(name[:-3] for name in os.listdir(HERE)
                   if name.startswith("test_api_") and name.endswith(".py"))
    missing = ["test_api_" + one for one in wanted if "test_api_" + one not in names]
    if missing:
        sys.exit("there is no %s" % ", ".join(missing))
    passed = failed = 0
    for name in names:
        if wanted and name[len("test_api_"):] not in wanted:
            continue
        fine, wrong = run_module(vars(importlib.import_module(name)), program)
        print("%s: %d passed, %d failed" % (name, fine, wrong), flush=True)
        passed, failed = passed + fine, failed + wrong
    print("%d passed, %d failed" % (passed, failed))
    return 1 if failed else 0


if __name__ == "__main__":
    sys.exit(main())
