"""The log: records by topic, partition and offset, appended once and never changed."""
