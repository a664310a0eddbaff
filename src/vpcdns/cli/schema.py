"""`vpcdns schema`: the JSON Schema of the configuration."""

from vpcdns.cli.output import say_json
from vpcdns.config import json_schema


def schema() -> None:
    """Print the JSON Schema of the configuration.

    Editors with a YAML language server complete and check by it:

    \b
      vpcdns schema > vpcdns.schema.json
      # yaml-language-server: $schema=vpcdns.schema.json
    """
    say_json(json_schema())
