"""The names and clients of `vpcdns.yaml`, and how the tests get it served."""

from __future__ import annotations

from pathlib import Path

CONFIG = (Path(__file__).parent / "vpcdns.yaml").read_text()

SUFFIX = "alicloudapi.com"
SERVERLESS = f"{'a' * 32}-cn-hangzhou-vpc.{SUFFIX}"
SHANGHAI = f"{'c' * 32}-cn-shanghai-vpc.{SUFFIX}"
BIG = f"{'b' * 32}-cn-hangzhou-vpc.{SUFFIX}"
DEDICATED_A = f"{'d' * 32}-cn-hangzhou-vpc.{SUFFIX}"
DEDICATED_B = f"{'e' * 32}-cn-hangzhou-vpc.{SUFFIX}"
OFF = f"{'0' * 32}-cn-hangzhou-vpc.{SUFFIX}"
UNKNOWN = f"{'9' * 32}-cn-hangzhou-vpc.{SUFFIX}"
CUSTOM, OFF_CUSTOM = "api.example.com", "off.example.com"

IN_A, IN_B, IN_B_NESTED, IN_C = "127.10.0.5", "127.20.0.5", "127.10.7.5", "127.30.0.5"
ON_PREMISES, INTERNET, STRANGER = "127.40.0.5", "127.0.0.1", "127.200.0.5"
