"""Host doctor, configuration audit and import, presets."""
