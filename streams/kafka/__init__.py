"""The log on a broker: Redpanda, or any Kafka."""
