"""What is wrong, how much, and what a person can do: one list of warnings for API, terminal, MQTT and pages."""
