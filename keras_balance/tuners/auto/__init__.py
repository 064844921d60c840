"""What `AutoSynthesizer` is made of: candidates, folds, a judge and a rule."""
