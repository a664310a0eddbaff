"""vpcdns: a private DNS resolver that answers as API Gateway's VPC second-level domain names do."""

__version__ = "0.1.0"
