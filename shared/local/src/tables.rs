//! The tables of Meshline, as data; and their creation where they are absent.

use aws_sdk_dynamodb::Client;
use aws_sdk_dynamodb::error::{BuildError, SdkError};
use aws_sdk_dynamodb::operation::create_table::CreateTableError;
use aws_sdk_dynamodb::types::{
    AttributeDefinition, BillingMode, GlobalSecondaryIndex, KeySchemaElement, KeyType, Projection,
    ProjectionType, ScalarAttributeType, StreamSpecification, StreamViewType,
};

/// A table as it is deployed: its key, its indexes and its stream. Billing is on demand.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct TableSpec {
    /// The deployed name, `meshline-events`.
    pub name: &'static str,
    /// The primary key.
    pub key: Key,
    /// The global secondary indexes.
    pub indexes: Vec<IndexSpec>,
    /// What a stream record shows; `None` when the table has no stream.
    pub stream: Option<StreamViewType>,
}

/// A global secondary index of a table.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct IndexSpec {
    /// The name in the table, `due`.
    pub name: &'static str,
    /// The index's own key.
    pub key: Key,
    /// Which attributes it copies.
    pub projection: ProjectionType,
}

/// A partition key and a sort key. A partition key is always text.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Key {
    /// The attribute that is the partition key.
    pub pk: &'static str,
    /// The attribute that is the sort key.
    pub sk: &'static str,
    /// The sort key's type.
    pub sk_type: ScalarAttributeType,
}

/// The three tables.
pub fn tables() -> Vec<TableSpec> {
    use ProjectionType::{All, KeysOnly};
    use ScalarAttributeType::{N, S};
    let key = |pk, sk, sk_type| Key { pk, sk, sk_type };
    let index = |name, pk, sk, projection| IndexSpec { name, key: key(pk, sk, S), projection };
    vec![
        TableSpec {
            name: "meshline-events",
            key: key("pk", "sk", S),
            indexes: vec![index("by_source_day", "source_day", "received_at", KeysOnly)],
            stream: Some(StreamViewType::NewImage),
        },
        TableSpec {
            name: "meshline-state",
            key: key("pk", "sk", S),
            indexes: vec![
                index("due", "due_shard", "next_due_at", KeysOnly),
                index("by_flow", "flow", "opened_at", KeysOnly),
                index("by_owner", "open_owner", "opened_at", KeysOnly),
                index("by_exception", "exception_flow", "opened_at", KeysOnly),
            ],
            stream: None,
        },
        TableSpec {
            name: "meshline-audit",
            key: key("pk", "sk", N),
            indexes: vec![
                index("by_flow_day", "flow_day", "at_run_seq", All),
                index("by_actor", "actor_person", "at", All),
            ],
            stream: Some(StreamViewType::NewAndOldImages),
        },
    ]
}

/// Why a table could not be created.
#[derive(Debug, thiserror::Error)]
pub enum CreateError {
    /// The definition lacks something the API demands.
    #[error("build the definition of table `{0}`")]
    Definition(&'static str, #[source] BuildError),
    /// The database refused or did not answer.
    #[error("create table `{0}`")]
    Refused(&'static str, #[source] Box<SdkError<CreateTableError>>),
}

/// Creates `table` unless it is there.
pub async fn create_if_absent(client: &Client, table: &TableSpec) -> Result<(), CreateError> {
    let definition = |e| CreateError::Definition(table.name, e);
    let mut attributes: Vec<AttributeDefinition> = Vec::new();
    for key in std::iter::once(&table.key).chain(table.indexes.iter().map(|index| &index.key)) {
        for (name, kind) in [(key.pk, ScalarAttributeType::S), (key.sk, key.sk_type.clone())] {
            if !attributes.iter().any(|known| known.attribute_name == name) {
                let attribute = AttributeDefinition::builder().attribute_name(name).attribute_type(kind);
                attributes.push(attribute.build().map_err(definition)?);
            }
        }
    }
    let mut request = client
        .create_table()
        .table_name(table.name)
        .billing_mode(BillingMode::PayPerRequest)
        .set_attribute_definitions(Some(attributes))
        .set_key_schema(Some(key_schema(&table.key).map_err(definition)?));
    for index in &table.indexes {
        let index = GlobalSecondaryIndex::builder()
            .index_name(index.name)
            .set_key_schema(Some(key_schema(&index.key).map_err(definition)?))
            .projection(Projection::builder().projection_type(index.projection.clone()).build());
        request = request.global_secondary_indexes(index.build().map_err(definition)?);
    }
    if let Some(view) = &table.stream {
        let stream = StreamSpecification::builder().stream_enabled(true).stream_view_type(view.clone());
        request = request.stream_specification(stream.build().map_err(definition)?);
    }
    match request.send().await {
        Ok(_) => Ok(()),
        Err(e) if e.as_service_error().is_some_and(CreateTableError::is_resource_in_use_exception) => Ok(()),
        Err(e) => Err(CreateError::Refused(table.name, Box::new(e))),
    }
}

fn key_schema(key: &Key) -> Result<Vec<KeySchemaElement>, BuildError> {
    [(key.pk, KeyType::Hash), (key.sk, KeyType::Range)]
        .into_iter()
        .map(|(name, kind)| KeySchemaElement::builder().attribute_name(name).key_type(kind).build())
        .collect()
}
