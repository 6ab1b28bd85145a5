"""otjdd: ionic drift-diffusion, Poisson and tunnelling current of oxide tunnel junctions."""
