"""A plan as people and programs read it."""

from __future__ import annotations

import json
import shlex
import sys

from smartdoh.control.service.install import Plan


def as_json(plan: Plan, *, done: bool) -> None:
    """Print it as JSON."""
    told = {
        "done": done,
        "remove": [str(path) for path in plan.remove],
        "write": {str(path): text for path, text in plan.write.items()},
        "run": [list(command) for command in (*plan.before, *plan.after)],
        "notes": list(plan.notes),
        "advice": list(plan.advice),
    }
    print(json.dumps(told, ensure_ascii=False))


def notes(plan: Plan) -> None:
    """Print what is doubtful, apart from the rest."""
    for note in plan.notes:
        print(f"smartdoh: {note}", file=sys.stderr)


def wanted(plan: Plan) -> None:
    """Print what would be done."""
    for command in plan.before:
        print(f"# would run: {shlex.join(command)}")
    for path in plan.remove:
        print(f"# would remove: {path}")
    for path, text in plan.write.items():
        print(f"# would write: {path}\n{text}")
    for command in plan.after:
        print(f"# would run: {shlex.join(command)}")


def done(plan: Plan) -> None:
    """Print what was done."""
    for path in plan.remove:
        print(f"removed {path}")
    for path in plan.write:
        print(f"wrote {path}")
    for command in (*plan.before, *plan.after):
        print(f"ran {shlex.join(command)}")


def advice(plan: Plan) -> None:
    """Print what is left to a person."""
    if plan.advice:
        print("\n" + "\n".join(plan.advice))
