"""The course's workbench: run, render, check, rewrite notebooks. ``make help`` lists the uses."""

import argparse
import sys

from coursetools import badges, ledger, lint, notebooks, overview, owners, run


def main(arguments=None):
    parser = argparse.ArgumentParser(description=__doc__)
    commands = parser.add_subparsers(dest="command", required=True)
    helps = {
        "run": "execute notebooks and write HTML pages to build/",
        "render": "execute at the profile lesson and keep the outputs in the notebook",
        "lint": "check the structure of notebooks",
    }
    for name, text in helps.items():
        command = commands.add_parser(name, help=text)
        command.add_argument("notebooks", nargs="?", default="all", help='"10", "10,11" or "all"')
        command.add_argument("--cell-seconds", type=int, default=1800, help="limit for one cell")
        if name == "run":
            text = "a failing claim stops only its cell, a failing notebook only itself"
            command.add_argument("--go-on", action="store_true", help=text)
    commands.add_parser("sync", help="copy owner cells from helpers into the notebooks")
    command = commands.add_parser("badges", help="write the public address everywhere")
    command.add_argument("--repo", help="owner/name; default: the git remote called origin")
    commands.add_parser("ledger", help="collect claims and minutes into README.md")
    commands.add_parser("overview", help="draw README.md's picture with the shipped StyleGAN")
    options = parser.parse_args(arguments)
    try:
        return _dispatch(options)
    except notebooks.CourseError as error:
        print(error, file=sys.stderr)
        return 1
    except KeyboardInterrupt:
        print("\nInterrupted; the notebook at hand is as it was.", file=sys.stderr)
        return 130


def _dispatch(options):
    if options.command in ("run", "render"):
        paths = notebooks.select(options.notebooks)
        if options.command == "run" and options.go_on:
            return _run_all(paths, options.cell_seconds)
        work = run.run if options.command == "run" else run.render
        for path in paths:
            work(path, options.cell_seconds)
    elif options.command == "lint":
        problems = [p for path in notebooks.select(options.notebooks) for p in lint.check(path)]
        print("\n".join(problems) or "Nothing to complain about.")
        return int(bool(problems))
    elif options.command == "sync":
        owners.sync()
    elif options.command == "badges":
        badges.write(options.repo)
    elif options.command == "ledger":
        ledger.write()
    elif options.command == "overview":
        overview.write()
    return 0


def _run_all(paths, cell_seconds):
    """Run each notebook whatever becomes of the others.

    Returns:
        0; 2 if some claims failed but all trainings have run; 1 if anything else failed.
    """
    problems, only_claims = [], True
    for path in paths:
        try:
            run.run(path, cell_seconds, go_on=True)
        except notebooks.CourseError as error:
            print(f"{path.stem} failed; the end says why", flush=True)
            problems.append(f"{path.stem}\n{error}")
            only_claims &= isinstance(error, notebooks.ClaimsFailed)
    print("\n\n".join(problems), file=sys.stderr, end="\n" * bool(problems))
    return (2 if only_claims else 1) if problems else 0


if __name__ == "__main__":
    sys.exit(main())
