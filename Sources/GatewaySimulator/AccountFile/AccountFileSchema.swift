// SPDX-License-Identifier: Apache-2.0

/// The form of an account file.
package enum AccountFileSchema {
    /// The members of the file.
    static let memberNames = [
        "accessKeys", "standing", "signNames", "templates", "balance", "dayCap", "monthCap", "extensionCodeCap",
        "numbers", "numberLimits", "forbiddenWords", "promotionWords",
    ]

    /// The form as a JSON Schema (draft 2020-12).
    package static let text = """
        {
          "$schema": "https://json-schema.org/draft/2020-12/schema",
          "title": "The account of smspipe simulate",
          "type": "object",
          "additionalProperties": false,
          "required": ["accessKeys"],
          "properties": {
            "accessKeys": {
              "type": "array", "minItems": 1,
              "items": {
                "type": "object", "additionalProperties": false, "required": ["id", "secret"],
                "properties": {
                  "id": {"type": "string", "minLength": 1},
                  "secret": {"type": "string", "minLength": 1},
                  "state": {"enum": [\(choices(AccessKey.State.self))],
                    "description": "disabled: InvalidAccessKeyId.Inactive; unauthorized: isp.RAM_PERMISSION_DENY"},
                  "securityToken": {"type": "string", "description": "makes it a temporary key"},
                  "expiration": {"type": "string", "pattern": "^\\\\d{4}-\\\\d\\\\d-\\\\d\\\\dT\\\\d\\\\d:\\\\d\\\\d:\\\\d\\\\dZ$"}
                }
              }
            },
            "standing": {"enum": [\(choices(Standing.self))]},
            "signNames": {
              "type": "array", "description": "absent: any sign name is taken",
              "items": {
                "type": "object", "additionalProperties": false, "required": ["name"],
                "properties": {
                  "name": {"type": "string", "minLength": 1},
                  "state": {"enum": [\(choices(SignName.State.self))]},
                  "kind": {"enum": [\(choices(SignName.Kind.self))]}
                }
              }
            },
            "templates": {
              "type": "array", "description": "absent: any template code that begins with SMS_ is taken",
              "items": {
                "type": "object", "additionalProperties": false, "required": ["code", "content", "kind"],
                "properties": {
                  "code": {"type": "string", "minLength": 1},
                  "name": {"type": "string"},
                  "content": {"type": "string", "minLength": 1, "description": "the text, with ${name} for variables"},
                  "kind": {"enum": [\(choices(Template.Kind.self))]},
                  "state": {"enum": [\(choices(Template.State.self))]},
                  "test": {"type": "boolean"},
                  "variables": {
                    "type": "object",
                    "additionalProperties": {"enum": [\(choices(VariableAttribute.self))]}
                  },
                  "maximumValueCharacters": {"type": "integer", "minimum": 0, "default": 35}
                }
              }
            },
            "balance": {"type": "integer", "minimum": 0, "description": "segments that can be paid"},
            "dayCap": {"type": "integer", "minimum": 0},
            "monthCap": {"type": "integer", "minimum": 0},
            "extensionCodeCap": {"type": "integer", "minimum": 0},
            "numbers": {
              "type": "array",
              "items": {
                "type": "object", "additionalProperties": false, "required": ["number"],
                "properties": {
                  "number": {"type": "string"},
                  "blocked": {"type": "boolean", "description": "isv.BLACK_KEY_CONTROL_LIMIT"},
                  "optedOut": {"type": "boolean", "description": "isv.CUSTOMER_REFUSED for promotions"},
                  "refusal": {"type": "string", "description": "any code that refuses a message to it"},
                  "outcome": {"type": "string", "pattern": "^(delivered|silent|failed:.+)$"},
                  "reportDelay": {"type": "string"},
                  "boundForTests": {"type": "boolean", "description": "test templates reach it"},
                  "exempt": {"type": "boolean", "description": "exempt from the per-number limits"}
                }
              }
            },
            "numberLimits": {
              "default": "service",
              "anyOf": [
                {"enum": ["none", "service"]},
                {
                  "type": "object", "additionalProperties": false,
                  "properties": {
                    "code": {"$ref": "#/$defs/limit"},
                    "notice": {"$ref": "#/$defs/limit"},
                    "promotion": {"$ref": "#/$defs/limit"}
                  }
                }
              ]
            },
            "forbiddenWords": {"type": "array", "items": {"type": "string", "minLength": 1},
              "description": "texts that make a message isv.SMS_CONTENT_ILLEGAL"},
            "promotionWords": {"type": "array", "items": {"type": "string", "minLength": 1},
              "description": "texts that make a notice isv.SMS_CONTENT_MISMATCH_TEMPLATE_TYPE"}
          },
          "$defs": {
            "limit": {
              "type": "object", "additionalProperties": false,
              "properties": {
                "minute": {"type": "integer", "minimum": 0},
                "hour": {"type": "integer", "minimum": 0},
                "day": {"type": "integer", "minimum": 0}
              }
            }
          }
        }
        """

    private static func choices<Choice>(_ type: Choice.Type) -> String
    where Choice: CaseIterable & RawRepresentable, Choice.RawValue == String {
        Choice.allCases.map { "\"\($0.rawValue)\"" }.joined(separator: ", ")
    }
}
