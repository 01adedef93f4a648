"""What the host must do: addresses, routes, rules, NAT; plan, apply, roll back."""
