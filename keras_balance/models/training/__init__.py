"""What any generator trains with: phases, optimizers, gradients, whole files."""
