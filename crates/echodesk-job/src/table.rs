//! Text in columns, for summaries and lists.

/// Rows under a header, columns as wide as their widest cell.
#[derive(Clone, Debug)]
pub struct Table {
    rows: Vec<Vec<String>>,
    right: Vec<bool>,
}

impl Table {
    /// A table whose columns are called `names`; a name that starts with `>` is of a column of
    /// numbers, set to the right.
    #[must_use]
    pub fn new(names: &[&str]) -> Self {
        let right = names.iter().map(|name| name.starts_with('>')).collect();
        let header = names.iter().map(|name| name.trim_start_matches('>').to_owned()).collect();
        Self { rows: vec![header], right }
    }

    /// Adds a row, one cell per column. Characters that would break the lines are shown as `?`.
    pub fn row<const N: usize>(&mut self, cells: [String; N]) {
        let clean = |cell: String| cell.replace(|c: char| c.is_control(), "?");
        self.rows.push(cells.into_iter().map(clean).collect());
    }

    /// Whether there is nothing but the header.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.rows.len() == 1
    }
}

impl std::fmt::Display for Table {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        let width = |column: usize| {
            self.rows.iter().filter_map(|row| row.get(column)).map(|cell| cell.chars().count()).max().unwrap_or(0)
        };
        let widths: Vec<usize> = (0..self.right.len()).map(width).collect();
        for row in &self.rows {
            let mut line = String::new();
            for ((cell, width), right) in row.iter().zip(&widths).zip(&self.right) {
                let padded = if *right { format!("{cell:>width$}") } else { format!("{cell:<width$}") };
                line.push_str(&padded);
                line.push_str("  ");
            }
            writeln!(f, "{}", line.trim_end())?;
        }
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn words_stand_left_and_numbers_right() {
        let mut table = Table::new(&["TENANT", ">STORED"]);
        assert!(table.is_empty());
        table.row(["acme".to_owned(), "7".to_owned()]);
        table.row(["თბილისი".to_owned(), "12345678".to_owned()]);
        assert!(!table.is_empty());
        assert_eq!(table.to_string(), "TENANT     STORED\nacme            7\nთბილისი  12345678\n");
    }

    #[test]
    fn a_cell_cannot_break_its_line() {
        let mut table = Table::new(&["A"]);
        table.row(["x\n\x1b[2J".to_owned()]);
        assert_eq!(table.to_string(), "A\nx??[2J\n");
    }
}
