//! Builds the migrations in again when one is added: cargo does not see new folders by itself.

fn main() {
    println!("cargo::rerun-if-changed=../../migrations");
}
