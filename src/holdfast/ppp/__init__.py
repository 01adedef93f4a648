"""The Point-to-Point Protocol: automaton, control protocols, authentication, MPPE, and the link that composes them."""
