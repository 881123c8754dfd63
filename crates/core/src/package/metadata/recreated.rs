//! How a blob is made again: its plan as hexadecimal digits where it is short, which most are, else a member.

use delta_codec::recreation::Plan;
use serde::{Deserialize, Serialize};

/// How a blob is made again of its layer.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(try_from = "Fields", into = "Fields")]
pub struct Recreated {
    /// The encoders that make it, for people.
    pub encoder: String,
    /// Where the plan is.
    pub place: PlanPlace,
}

/// Where the plan of a blob is.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum PlanPlace {
    /// In the document.
    Here(Plan),
    /// In the member of this name.
    Member(String),
}

#[derive(Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
struct Fields {
    encoder: String,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    plan: Option<String>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    member: Option<String>,
}

impl From<Recreated> for Fields {
    fn from(Recreated { encoder, place }: Recreated) -> Self {
        let (plan, member) = match place {
            PlanPlace::Here(plan) => (Some(to_hex(plan.as_bytes())), None),
            PlanPlace::Member(name) => (None, Some(name)),
        };
        Self { encoder, plan, member }
    }
}

impl TryFrom<Fields> for Recreated {
    type Error = String;

    fn try_from(Fields { encoder, plan, member }: Fields) -> Result<Self, String> {
        let place = match (plan, member) {
            (Some(digits), None) => {
                let bytes = from_hex(&digits).ok_or("`plan` has other characters than pairs of hexadecimal digits")?;
                PlanPlace::Here(Plan::parse(bytes).map_err(|error| error.to_string())?)
            }
            (None, Some(name)) => PlanPlace::Member(name),
            _ => return Err("expected one of `plan` and `member`".to_owned()),
        };
        Ok(Self { encoder, place })
    }
}

fn to_hex(bytes: &[u8]) -> String {
    bytes.iter().map(|byte| format!("{byte:02x}")).collect()
}

fn from_hex(digits: &str) -> Option<Vec<u8>> {
    let digit = |byte: &u8| match byte {
        b'0'..=b'9' => Some(byte - b'0'),
        b'a'..=b'f' => Some(byte - b'a' + 10),
        _ => None,
    };
    let (pairs, rest) = digits.as_bytes().as_chunks::<2>();
    let byte = |[high, low]: &[u8; 2]| Some(digit(high)? << 4 | digit(low)?);
    if rest.is_empty() { pairs.iter().map(byte).collect() } else { None }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn hexadecimal_digits_come_back_and_others_are_refused() {
        let all: Vec<u8> = (0..=255).collect();
        assert_eq!(from_hex(&to_hex(&all)), Some(all));
        for text in ["0", "0g", "AB", "é", " 0"] {
            assert_eq!(from_hex(text), None, "{text}");
        }
    }

    #[test]
    fn a_plan_stands_in_one_place() {
        for text in [
            r#"{"encoder": "zlib 6"}"#,
            r#"{"encoder": "zlib 6", "plan": "", "member": "blob_plans/1"}"#,
            r#"{"encoder": "zlib 6", "plan": "01ff"}"#,
            r#"{"encoder": "zlib 6", "plan": "01f"}"#,
            r#"{"plan": ""}"#,
        ] {
            assert!(serde_json::from_str::<Recreated>(text).is_err(), "{text}");
        }
        let text = r#"{"encoder":"zlib 6","plan":"0101068f05"}"#;
        let parsed: Recreated = serde_json::from_str(text).unwrap();
        assert_eq!(serde_json::to_string(&parsed).unwrap(), text);
    }
}
