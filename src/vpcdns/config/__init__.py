"""The configuration: a YAML or JSON file -> a World, or every problem at once (DESIGN §2).

Text becomes plain data (`document`), the data a typed tree (`schema`), the tree the model's objects
(`build`); `load` joins them. Only these names are for others.
"""

from vpcdns.config.build import Admin
from vpcdns.config.groups import Progress
from vpcdns.config.load import Loaded, load, loads
from vpcdns.config.schema import json_schema
from vpcdns.config.values import custom_domain, is_region_id
from vpcdns.config.write import check_expressible, with_objects, written, written_objects, yaml_text
from vpcdns.config.write_json import json_text, written_json

__all__ = [
    "Admin",
    "Loaded",
    "Progress",
    "check_expressible",
    "custom_domain",
    "is_region_id",
    "json_schema",
    "json_text",
    "load",
    "loads",
    "with_objects",
    "written",
    "written_json",
    "written_objects",
    "yaml_text",
]
