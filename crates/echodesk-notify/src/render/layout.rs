//! From a rendered template to a mail: subject and parts, put into the text layout and the HTML layout.

use minijinja::{Value, context};
use textwrap::{Options, WordSeparator, WordSplitter, WrapAlgorithm};

use super::blocks::{self, Block};
use super::engine::Engine;
use super::{Reader, Rendered, TemplateError, html, line};

/// Columns of a line of text: RFC 3676, section 4.2, advises at most 78 and calls 72 usual.
const COLUMNS: usize = 72;
/// Characters of the line that mail programs show beside the subject.
const PREVIEW: usize = 150;

pub(super) fn render(
    engine: &Engine,
    template: &str,
    values: &Value,
    reader: &Reader<'_>,
) -> Result<Rendered, TemplateError> {
    let language = reader.language.code();
    let parts = |name: &str, body: &str| blocks::parse(body).map_err(|problem| TemplateError::template(name, problem));
    let name = format!("{language}/{template}.txt");
    let whole = engine.run(&name, values)?;
    let (subject, body) = divide(&whole).ok_or_else(|| {
        let problem = "line 1: must read `Subject: …`, followed by an empty line and the body";
        TemplateError::template(name.as_str(), problem)
    })?;
    let body = parts(&name, body)?;
    let (greeting_name, footer_name) = (format!("{language}/greeting.txt"), format!("{language}/footer.txt"));
    let greeting = parts(&greeting_name, &engine.run(&greeting_name, values)?)?;
    let footer = parts(&footer_name, &engine.run(&footer_name, values)?)?;

    let text = engine.run(
        "layout.txt",
        &context! { greeting => as_text(&greeting), body => as_text(&body), footer => as_text(&footer) },
    )?;
    let html = engine.run(
        "layout.html",
        &context! {
            language,
            subject => escaped(&subject),
            preview => escaped(&preview(&body)),
            greeting => as_html(&greeting),
            body => as_html(&body),
            footer => as_html(&footer),
        },
    )?;
    Ok(Rendered { subject, text: format!("{}\n", text.trim()), html: format!("{}\n", html.trim()) })
}

/// Subject and body.
fn divide(whole: &str) -> Option<(String, &str)> {
    let (head, body) = whole.trim_start().split_once("\n\n")?;
    let subject = line::one_line(head.strip_prefix("Subject:")?, line::SUBJECT);
    (!head.contains('\n') && !subject.is_empty() && !body.trim().is_empty()).then_some((subject, body))
}

fn preview(body: &[Block]) -> String {
    let first = body.iter().find_map(|block| match block {
        Block::Paragraph(text) => Some(text.as_str()),
        Block::Facts(_) | Block::Link(..) => None,
    });
    line::truncate_words(first.unwrap_or_default(), PREVIEW)
}

fn as_text(blocks: &[Block]) -> String {
    let blocks: Vec<String> = blocks
        .iter()
        .map(|block| match block {
            Block::Paragraph(text) => wrapped(text),
            Block::Facts(rows) => {
                rows.iter().map(|(label, value)| wrapped(&format!("{label}: {value}"))).collect::<Vec<_>>().join("\n")
            }
            Block::Link(label, address) => wrapped(&format!("{label}: {address}")),
        })
        .collect();
    blocks.join("\n\n")
}

/// What the HTML layout sees of blocks: `kind` and, by kind, `text`, `rows` of two, or `label` and `address`.
fn as_html(blocks: &[Block]) -> Vec<Value> {
    blocks
        .iter()
        .map(|block| match block {
            Block::Paragraph(text) => context! { kind => "paragraph", text => escaped(text) },
            Block::Facts(rows) => {
                let rows: Vec<_> = rows.iter().map(|(label, value)| [escaped(label), escaped(value)]).collect();
                context! { kind => "facts", rows }
            }
            Block::Link(label, address) => {
                context! { kind => "link", label => escaped(label), address => escaped(address) }
            }
        })
        .collect()
}

/// Wrapped, too: a line of HTML has its limit as well.
fn escaped(text: &str) -> Value {
    Value::from_safe_string(html::escape(&wrapped(text)))
}

fn wrapped(text: &str) -> String {
    let options = Options::new(COLUMNS)
        .word_separator(WordSeparator::AsciiSpace)
        .word_splitter(WordSplitter::NoHyphenation)
        .wrap_algorithm(WrapAlgorithm::FirstFit)
        .break_words(false);
    textwrap::fill(text, options)
}
