"""Values and events: frozen, validated, without behaviour beyond themselves."""
