"""Cordwood on AWS: `functions/` runs in Lambda, the other modules are the CDK application (docs/aws.md)."""
