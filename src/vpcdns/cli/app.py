"""The commands under one name, and what stands above them: version, help, completion."""

from typing import Annotated

import typer

from vpcdns import __version__
from vpcdns.cli.account import HELP as CLOUD_HELP
from vpcdns.cli.account import diff, import_cloud
from vpcdns.cli.cache import cache
from vpcdns.cli.check import check
from vpcdns.cli.doctor import doctor
from vpcdns.cli.explain import explain
from vpcdns.cli.health import health
from vpcdns.cli.imports import import_app
from vpcdns.cli.lab import lab_app
from vpcdns.cli.output import say, say_json
from vpcdns.cli.path import path_command
from vpcdns.cli.plan import HELP, plan_command
from vpcdns.cli.rehearse import HELP as REHEARSE_HELP
from vpcdns.cli.rehearse import rehearse_command
from vpcdns.cli.serve import serve
from vpcdns.cli.state import state
from vpcdns.config import json_schema


def schema() -> None:
    """Print the JSON Schema of the configuration.

    Editors with a YAML language server complete and check by it:

    \b
      vpcdns schema > vpcdns.schema.json
      # yaml-language-server: $schema=vpcdns.schema.json
    """
    say_json(json_schema())


# Help is plain text: it is read in pipes and pagers as often as on a terminal.
app = typer.Typer(
    rich_markup_mode=None,
    pretty_exceptions_enable=False,
    no_args_is_help=True,
    context_settings={"help_option_names": ["-h", "--help"]},
)
for command in (serve, check, explain, doctor, schema, health):
    app.command()(command)
app.add_typer(state, name="state")
app.add_typer(cache, name="cache")
app.command("path")(path_command)
app.command("plan", help=HELP)(plan_command)
app.command("rehearse", help=REHEARSE_HELP)(rehearse_command)
import_app.command("cloud", help=CLOUD_HELP)(import_cloud)
app.add_typer(import_app, name="import")
app.command()(diff)
app.add_typer(lab_app, name="lab")


def _version(wanted: bool) -> None:
    if wanted:
        say(f"vpcdns {__version__}")
        raise typer.Exit


@app.callback()
def vpcdns(
    version: Annotated[
        bool, typer.Option("--version", callback=_version, is_eager=True, help="Print the version.")
    ] = False,
) -> None:
    """A private DNS resolver that answers as API Gateway's VPC domains do.

    It knows which VPC a query comes from, and decides from that whether a
    name resolves and to what.

    \b
    Examples:
      vpcdns serve --config config/vpcdns.yaml
      vpcdns check config/vpcdns.yaml
      vpcdns explain --config config/vpcdns.yaml --from 10.1.0.5 api.example.com

    \b
    Exit codes:
      0  success
      1  an error: the configuration, a port that is taken, an unhealthy server,
         a problem that doctor found
      2  the command line is wrong
      3  path, plan, rehearse or diff has something to report: no way, a change, an
         expectation that was not met
    """
