"""The handlers of the Lambda functions. Each event is taken as AWS sends it."""
