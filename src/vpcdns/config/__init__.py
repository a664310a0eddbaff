"""The configuration: a YAML or JSON file -> a World, or every problem at once (DESIGN §2).

Text becomes plain data (`document`), the data a typed tree (`schema`), the tree the model's objects
(`build`); `read` joins them, and `write` goes back. Only these names are for others.
"""

from vpcdns.config.build import Admin, Loaded
from vpcdns.config.build_zones import read_record
from vpcdns.config.cloud_records import zone_file_text
from vpcdns.config.groups import Progress
from vpcdns.config.mistakes import Mistake, described
from vpcdns.config.read import (
    built,
    error_of,
    has_key,
    load,
    loads,
    read_as,
    read_mapping,
    read_octets,
    schema_mistakes,
)
from vpcdns.config.schema import json_schema
from vpcdns.config.schema_errors import MISSING
from vpcdns.config.topology_schema import Part
from vpcdns.config.values import (
    AddressText,
    DomainText,
    Line,
    PathOrMapping,
    admin_listen,
    custom_domain,
    host_name,
    is_region_id,
    listen,
)
from vpcdns.config.watched_files import WatchedFiles
from vpcdns.config.write import (
    check_expressible,
    json_text,
    with_objects,
    written,
    written_json,
    written_objects,
    written_owner,
    written_record,
    yaml_text,
)
