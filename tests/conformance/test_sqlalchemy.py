"""SQLAlchemy 2: metadata create and reflect, Core, ORM with relationships, bulk inserts, over psycopg and asyncpg."""

from __future__ import annotations

import datetime as dt
from collections.abc import Iterator
from decimal import Decimal

import pytest
import sqlalchemy as sa
from harness.workspace import Workspace
from sqlalchemy.dialects import postgresql
from sqlalchemy.orm import DeclarativeBase, Mapped, Session, mapped_column, relationship, selectinload


class Base(DeclarativeBase):
    """The model of this suite."""


class Customer(Base):
    __tablename__ = "customer"

    id: Mapped[int] = mapped_column(primary_key=True)
    name: Mapped[str] = mapped_column(sa.String(40))
    joined: Mapped[dt.date | None]
    orders: Mapped[list[Order]] = relationship(back_populates="customer", cascade="all, delete-orphan")


class Order(Base):
    __tablename__ = "order"

    id: Mapped[int] = mapped_column(primary_key=True)
    customer_id: Mapped[int] = mapped_column(sa.ForeignKey("customer.id"))
    total: Mapped[Decimal] = mapped_column(sa.Numeric(10, 2))
    tags: Mapped[list[str] | None] = mapped_column(postgresql.ARRAY(sa.Text))
    extra: Mapped[dict[str, int] | None] = mapped_column(postgresql.JSONB)
    at: Mapped[dt.datetime] = mapped_column(sa.DateTime(timezone=True), server_default=sa.func.now())
    customer: Mapped[Customer] = relationship(back_populates="orders")


@pytest.fixture
def engine(space: Workspace) -> Iterator[sa.Engine]:
    made = sa.create_engine(
        space.server.url("postgresql+psycopg"), connect_args={"options": f"-c search_path={space.schema}"}
    )
    yield made
    made.dispose()


@pytest.fixture
def filled(engine: sa.Engine) -> sa.Engine:
    Base.metadata.create_all(engine)
    with Session(engine) as session, session.begin():
        ann = Customer(name="ann", joined=dt.date(2024, 2, 29))
        ann.orders = [Order(total=Decimal("1.50"), tags=["a", "b"], extra={"k": 1}), Order(total=Decimal("2.25"))]
        session.add_all([ann, Customer(name="bob", orders=[Order(total=Decimal(10))])])
    return engine


def test_objects_are_saved_and_loaded(filled: sa.Engine) -> None:
    with Session(filled) as session:
        people = session.scalars(
            sa.select(Customer).options(selectinload(Customer.orders)).order_by(Customer.name)
        ).all()
        assert [(one.name, one.joined, sorted(order.total for order in one.orders)) for one in people] == [
            ("ann", dt.date(2024, 2, 29), [Decimal("1.50"), Decimal("2.25")]),
            ("bob", None, [Decimal("10.00")]),
        ]
        order = session.scalars(sa.select(Order).where(Order.extra.is_not(None))).one()
        assert (order.tags, order.extra, order.at.tzinfo is not None) == (["a", "b"], {"k": 1}, True)


def test_objects_are_changed_and_deleted(filled: sa.Engine) -> None:
    with Session(filled) as session:
        ann = session.scalars(sa.select(Customer).where(Customer.name == "ann")).one()
        ann.name = "anna"
        ann.orders[0].total += 1
        session.delete(session.scalars(sa.select(Customer).where(Customer.name == "bob")).one())
        session.commit()
        assert session.scalars(sa.select(Customer.name)).all() == ["anna"]
        assert session.scalar(sa.select(sa.func.sum(Order.total))) == Decimal("4.75")
        session.add(Customer(name="gone"))
        session.flush()
        session.rollback()
        assert session.scalar(sa.select(sa.func.count()).select_from(Customer)) == 1


def test_queries_with_joins_groups_subqueries_and_windows(filled: sa.Engine) -> None:
    totals = (
        sa.select(Customer.name, sa.func.count(Order.id).label("n"), sa.func.sum(Order.total).label("total"))
        .join(Order)
        .group_by(Customer.name)
        .having(sa.func.sum(Order.total) > 1)
        .order_by(sa.desc("total"))
    )
    ranked = sa.select(Order.id, sa.func.rank().over(order_by=Order.total.desc()).label("place")).subquery()
    exists = sa.select(Customer.name).where(sa.exists().where(Order.customer_id == Customer.id, Order.total > 5))
    with filled.connect() as connection:
        assert connection.execute(totals).all() == [("bob", 1, Decimal("10.00")), ("ann", 2, Decimal("3.75"))]
        assert connection.execute(sa.select(sa.func.max(ranked.c.place))).scalar() == 3
        assert connection.execute(exists).scalars().all() == ["bob"]
        paged = sa.select(Order.total).order_by(Order.total).limit(1).offset(1)
        assert connection.execute(paged).scalar() == Decimal("2.25")


def test_bulk_inserts_and_returning(filled: sa.Engine) -> None:
    with Session(filled) as session:
        ids = session.scalars(
            sa.insert(Customer).returning(Customer.id, sort_by_parameter_order=True),
            [{"name": f"bulk{number}"} for number in range(300)],
        ).all()
        assert len(set(ids)) == 300
        session.commit()
        assert session.scalar(sa.select(sa.func.count()).where(Customer.name.like("bulk%"))) == 300
    with filled.begin() as connection:
        connection.execute(sa.insert(Order), [{"customer_id": 1, "total": number} for number in range(200)])
        changed = connection.execute(
            sa.update(Order).where(Order.total >= 190).values(total=Order.total * 2).returning(Order.total)
        )
        assert len(changed.all()) == 10
        assert connection.execute(sa.delete(Order).where(Order.total < 100)).rowcount > 90


def test_reflection_tells_the_truth(filled: sa.Engine, space: Workspace) -> None:
    with filled.begin() as connection:
        connection.execute(sa.text('CREATE VIEW big AS SELECT * FROM "order" WHERE total > 5'))
        connection.execute(sa.text("COMMENT ON TABLE customer IS 'people'"))
    inspector = sa.inspect(filled)
    assert set(inspector.get_table_names()) == {"customer", "order"}
    assert inspector.get_view_names() == ["big"]
    assert inspector.get_pk_constraint("customer")["constrained_columns"] == ["id"]
    assert inspector.get_foreign_keys("order")[0]["referred_table"] == "customer"
    assert inspector.get_table_comment("customer") == {"text": "people"}
    columns = {column["name"]: column for column in inspector.get_columns("order")}
    assert str(columns["total"]["type"]) == "NUMERIC(10, 2)"
    assert columns["id"]["autoincrement"] is True
    assert columns["tags"]["nullable"] is True
    reflected = sa.Table("order", sa.MetaData(), autoload_with=filled)
    with filled.connect() as connection:
        assert len(connection.execute(sa.select(reflected)).all()) == 3
    assert inspector.has_table("order")
    assert space.schema in inspector.get_schema_names()


def test_constraint_errors_are_integrity_errors(filled: sa.Engine) -> None:
    with filled.connect() as connection, pytest.raises(sa.exc.IntegrityError):
        connection.execute(sa.text('INSERT INTO "order" (customer_id, total) VALUES (NULL, 1)'))
    with filled.connect() as connection, pytest.raises(sa.exc.ProgrammingError):
        connection.execute(sa.text("SELECT * FROM nosuch"))
    with filled.connect() as connection, pytest.raises(sa.exc.DataError):
        connection.execute(sa.text("SELECT 1 / (id - id) FROM customer"))


def test_drop_all(filled: sa.Engine) -> None:
    Base.metadata.drop_all(filled)
    assert sa.inspect(filled).get_table_names() == []


def test_isolation_level_and_savepoints(filled: sa.Engine) -> None:
    with filled.connect().execution_options(isolation_level="REPEATABLE READ") as connection:
        assert connection.execute(sa.text("SHOW transaction_isolation")).scalar() == "repeatable read"
        assert connection.execute(sa.select(sa.func.count()).select_from(Customer)).scalar() == 2
    with Session(filled) as session:
        session.add(Customer(name="outer"))
        session.flush()
        inner = session.begin_nested()
        session.add(Customer(name="inner"))
        session.flush()
        inner.rollback()
        session.commit()
        assert session.scalar(sa.select(sa.func.count()).select_from(Customer)) == 3
    with filled.connect().execution_options(isolation_level="AUTOCOMMIT") as connection:
        connection.execute(sa.text("INSERT INTO customer (name) VALUES ('auto')"))
    with filled.connect() as connection:
        assert connection.execute(sa.select(sa.func.count()).select_from(Customer)).scalar() == 4


async def test_async_engine_over_asyncpg(filled: sa.Engine, space: Workspace) -> None:
    pytest.importorskip("greenlet", reason="SQLAlchemy's async engine needs greenlet")
    from sqlalchemy.ext.asyncio import create_async_engine

    engine = create_async_engine(
        space.server.url("postgresql+asyncpg"), connect_args={"server_settings": {"search_path": space.schema}}
    )
    async with engine.begin() as connection:
        await connection.execute(sa.insert(Customer), [{"name": "x"}, {"name": "y"}])
        names = (await connection.execute(sa.select(Customer.name).order_by(Customer.name))).scalars().all()
        assert names == ["ann", "bob", "x", "y"]
    await engine.dispose()
