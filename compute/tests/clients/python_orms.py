"""SQLAlchemy and Django against a server: python_orms.py PORT

The server has root without a password. Says "ok" at the end, or what went wrong.
"""
import datetime
import decimal
import enum
import sys

import django
import sqlalchemy as sa
from django.conf import settings
from sqlalchemy import orm
from sqlalchemy.dialects import mysql as my

PORT = int(sys.argv[1])


def check(what, got, expected):
    if got != expected:
        raise SystemExit(f"{what}: {got!r:.300} instead of {expected!r:.300}")


class Base(orm.DeclarativeBase):
    pass


class Colour(enum.Enum):
    red = 1
    blue = 2


class Author(Base):
    __tablename__ = "authors"
    id: orm.Mapped[int] = orm.mapped_column(primary_key=True)
    name: orm.Mapped[str] = orm.mapped_column(sa.String(40), unique=True)
    born: orm.Mapped[datetime.date | None]
    books: orm.Mapped[list["Book"]] = orm.relationship(back_populates="author", cascade="all, delete-orphan")


class Book(Base):
    __tablename__ = "books"
    __table_args__ = (
        sa.Index("by_title", "title", mysql_length=10),
        sa.CheckConstraint("price >= 0", name="price_positive"),
        {"comment": "what they wrote"},
    )
    id: orm.Mapped[int] = orm.mapped_column(sa.BigInteger, primary_key=True)
    title: orm.Mapped[str] = orm.mapped_column(sa.String(100, collation="utf8mb4_bin"), comment="as printed")
    price: orm.Mapped[decimal.Decimal] = orm.mapped_column(sa.Numeric(10, 2), server_default="1.50")
    colour: orm.Mapped[Colour]
    facts: orm.Mapped[dict] = orm.mapped_column(sa.JSON)
    cover: orm.Mapped[bytes | None] = orm.mapped_column(sa.LargeBinary)
    small: orm.Mapped[int | None] = orm.mapped_column(my.TINYINT(unsigned=True))
    made: orm.Mapped[datetime.datetime] = orm.mapped_column(my.DATETIME(fsp=3), server_default=sa.func.now(3))
    twice: orm.Mapped[decimal.Decimal] = orm.mapped_column(sa.Numeric(11, 2), sa.Computed("price * 2", persisted=True))
    author_id: orm.Mapped[int] = orm.mapped_column(sa.ForeignKey("authors.id", ondelete="CASCADE"))
    author: orm.Mapped[Author] = orm.relationship(back_populates="books")


def reflect(name, engine):
    """What SQLAlchemy reads of the tables it made."""
    look = sa.inspect(engine)
    check(f"{name} tables", sorted(look.get_table_names()), ["authors", "books"])
    check(f"{name} key", look.get_pk_constraint("books")["constrained_columns"], ["id"])
    key = look.get_foreign_keys("books")[0]
    check(f"{name} foreign key", (key["constrained_columns"], key["referred_table"], key["options"]),
          (["author_id"], "authors", {"ondelete": "CASCADE"}))
    index = next(index for index in look.get_indexes("books") if index["name"] == "by_title")
    check(f"{name} prefix", index["dialect_options"]["mysql_length"], {"title": 10})
    check(f"{name} unique", look.get_unique_constraints("authors")[0]["column_names"], ["name"])
    check(f"{name} check", look.get_check_constraints("books")[0]["sqltext"], "(`price` >= 0)")
    check(f"{name} comment", look.get_table_comment("books")["text"], "what they wrote")
    columns = {column["name"]: column for column in look.get_columns("books")}
    check(f"{name} title", (str(columns["title"]["type"]), columns["title"]["comment"]),
          ("VARCHAR(100) COLLATE utf8mb4_bin", "as printed"))
    check(f"{name} price", columns["price"]["default"], "'1.50'")
    check(f"{name} small", columns["small"]["type"].unsigned, True)
    check(f"{name} made", (columns["made"]["type"].fsp, columns["made"]["default"]), (3, "CURRENT_TIMESTAMP(3)"))
    check(f"{name} computed", columns["twice"]["computed"], {"sqltext": "((`price` * 2))", "persisted": True})
    again = sa.MetaData()
    again.reflect(engine)
    check(f"{name} reflected", sorted(again.tables), ["authors", "books"])


def sqlalchemy_on(driver):
    name = f"SQLAlchemy over {driver}"
    base = f"mysql+{driver}://root@127.0.0.1:{PORT}/"
    with sa.create_engine(base).connect() as root:
        root.execute(sa.text("DROP DATABASE IF EXISTS clients_alchemy"))
        root.execute(sa.text("CREATE DATABASE clients_alchemy"))
    engine = sa.create_engine(base + "clients_alchemy?charset=utf8mb4", pool_pre_ping=True)
    Base.metadata.create_all(engine)
    reflect(name, engine)
    with orm.Session(engine) as session:
        author = Author(name="Ödön ❄", born=datetime.date(1901, 12, 9))
        author.books = [
            Book(title=f"b{n}", colour=Colour.blue, facts={"n": [n]}, cover=b"\x00\xff", price=decimal.Decimal(n))
            for n in range(5)
        ]
        session.add(author)
        session.commit()
        found = session.scalars(sa.select(Book).where(Book.title == "b3").options(orm.joinedload(Book.author))).one()
        check(f"{name} row", (found.price, found.twice, found.colour, found.facts, found.cover, found.author.name),
              (decimal.Decimal("3.00"), decimal.Decimal("6.00"), Colour.blue, {"n": [3]}, b"\x00\xff", "Ödön ❄"))
        many = session.scalars(sa.select(Author).options(orm.selectinload(Author.books))).all()
        check(f"{name} eager", len(many[0].books), 5)
        total = sa.select(Book.colour, sa.func.count(), sa.func.sum(Book.price)).group_by(Book.colour)
        check(f"{name} groups", session.execute(total).all(), [(Colour.blue, 5, decimal.Decimal("10.00"))])
        session.execute(sa.update(Book).where(Book.price > 2).values(small=Book.small + 1))
        cheapest = sa.select(sa.func.min(Book.price)).scalar_subquery()
        check(f"{name} subquery", session.scalars(sa.select(Book.title).where(Book.price == cheapest)).all(), ["b0"])
        locked = sa.select(Book).order_by(Book.id).limit(1).with_for_update(skip_locked=True)
        check(f"{name} locked", session.scalars(locked).one().title, "b0")
        upsert = my.insert(Author).values(id=author.id, name="x")
        session.execute(upsert.on_duplicate_key_update(name=upsert.inserted.name))
        session.commit()
        session.refresh(author)
        check(f"{name} upsert", author.name, "x")
        try:
            with session.begin_nested():
                session.add(Author(name="x"))
                session.flush()
            raise SystemExit(f"{name}: a duplicate was taken")
        except sa.exc.IntegrityError as error:
            check(f"{name} duplicate", error.orig.args[0], 1062)
        streamed = session.execute(sa.select(Book.id), execution_options={"stream_results": True, "yield_per": 2})
        check(f"{name} streamed", len(list(streamed)), 5)
        session.delete(author)
        session.commit()
        check(f"{name} cascade", session.scalar(sa.select(sa.func.count()).select_from(Book)), 0)
    for level in ("READ COMMITTED", "SERIALIZABLE", "AUTOCOMMIT"):
        with engine.connect().execution_options(isolation_level=level) as connection:
            check(f"{name} {level}", connection.scalar(sa.text("SELECT 1")), 1)
            check(f"{name} {level}", connection.get_isolation_level() == level, level != "AUTOCOMMIT")
    Base.metadata.drop_all(engine)
    engine.dispose()


def django_app():
    with sa.create_engine(f"mysql+pymysql://root@127.0.0.1:{PORT}/").connect() as root:
        root.execute(sa.text("DROP DATABASE IF EXISTS clients_django"))
        root.execute(sa.text("CREATE DATABASE clients_django"))
    settings.configure(
        DATABASES={"default": {
            "ENGINE": "django.db.backends.mysql", "NAME": "clients_django", "USER": "root",
            "HOST": "127.0.0.1", "PORT": str(PORT), "OPTIONS": {"charset": "utf8mb4"},
        }},
        INSTALLED_APPS=["django.contrib.contenttypes", "django.contrib.auth", "django.contrib.sessions"
                        ],
        DEFAULT_AUTO_FIELD="django.db.models.BigAutoField",
        USE_TZ=True,
        SECRET_KEY="for tests",
    )
    django.setup()
    from django.contrib.auth.models import Group, User
    from django.core.management import call_command
    from django.db import IntegrityError, connection, models, transaction
    from django.db.models import Count, F, Q, Sum
    from django.db.models.functions import ExtractYear, TruncMonth

    call_command("migrate", verbosity=0)
    call_command("migrate", "auth", "zero", verbosity=0)
    call_command("migrate", verbosity=0)
    call_command("check", "auth", databases=["default"])

    class Shelf(models.Model):
        name = models.CharField(max_length=50, unique=True)

        class Meta:
            app_label = "auth"

    class Item(models.Model):
        shelf = models.ForeignKey(Shelf, models.CASCADE, related_name="items")
        label = models.CharField(max_length=50, db_index=True)
        price = models.DecimalField(max_digits=10, decimal_places=2)
        made = models.DateTimeField()
        took = models.DurationField(null=True)
        facts = models.JSONField(default=dict)
        blob = models.BinaryField(default=b"")
        flag = models.BooleanField(default=False)
        ratio = models.FloatField(null=True)
        uuid = models.UUIDField(null=True)
        counted = models.PositiveBigIntegerField(default=0)

        class Meta:
            app_label = "auth"
            constraints = [
                models.UniqueConstraint(fields=["shelf", "label"], name="one_label"),
                models.CheckConstraint(condition=Q(price__gte=0), name="not_negative"),
            ]

    with connection.schema_editor() as editor:
        editor.create_model(Shelf)
        editor.create_model(Item)
        extra = models.IntegerField(default=3)
        extra.set_attributes_from_name("extra")
        extra.model = Item
        editor.add_field(Item, extra)
        editor.remove_field(Item, extra)

    names = connection.introspection.table_names()
    check("Django tables", "auth_item" in names and "django_migrations" in names, True)
    with connection.cursor() as cursor:
        found = connection.introspection.get_constraints(cursor, "auth_item")
        check("Django constraints", found["one_label"]["columns"], ["shelf_id", "label"])
        check("Django constraints", found["not_negative"]["check"], True)
        check("Django relations", connection.introspection.get_relations(cursor, "auth_item"),
              {"shelf_id": ("id", "auth_shelf")} if django.VERSION < (6, 0) else {})
    call_command("inspectdb", stdout=open("/dev/null", "w"))

    when = datetime.datetime(2024, 2, 29, 12, 30, 15, 250000, tzinfo=datetime.timezone.utc)
    shelf = Shelf.objects.create(name="❄ top")
    Item.objects.bulk_create(
        Item(shelf=shelf, label=f"i{n}", price=decimal.Decimal(n) / 4, made=when, facts={"n": n, "on": n % 2 == 0},
             took=datetime.timedelta(days=n, microseconds=5), blob=b"\x00\xff", ratio=n / 3)
        for n in range(20))
    item = Item.objects.select_related("shelf").get(label="i7")
    check("Django row", (item.price, item.made, item.took, item.facts, bytes(item.blob), item.shelf.name, item.flag),
          (decimal.Decimal("1.75"), when, datetime.timedelta(days=7, microseconds=5), {"n": 7, "on": False},
           b"\x00\xff", "❄ top", False))
    check("Django JSON", Item.objects.filter(facts__on=True).count(), 10)
    check("Django JSON", Item.objects.filter(facts__n__gt=15).count(), 4)
    check("Django contains", Item.objects.filter(label__icontains="I1").count(), 11)
    check("Django contains", Item.objects.filter(label__contains="I1").count(), 0)
    check("Django regex", Item.objects.filter(label__regex="^i[0-3]$").count(), 4)
    check("Django sum", Shelf.objects.annotate(n=Count("items"), all=Sum("items__price")).values_list("n", "all")[0],
          (20, decimal.Decimal("47.50")))
    check("Django update", Item.objects.filter(price__lt=1).update(price=F("price") + 10), 4)
    check("Django year", Item.objects.annotate(y=ExtractYear("made")).values_list("y", flat=True)[0], 2024)
    check("Django month", Item.objects.annotate(m=TruncMonth("made")).values("m").distinct().count(), 1)
    check("Django exclude", Item.objects.exclude(label__in=["i1", "i2"]).count(), 18)
    check("Django subquery", Shelf.objects.filter(items__in=Item.objects.filter(price__gt=10)).distinct().count(), 1)
    check("Django union", Item.objects.filter(label="i1").union(Item.objects.filter(label="i2")).count(), 2)
    check("Django get_or_create", Shelf.objects.get_or_create(name="❄ top")[1], False)
    check("Django update_or_create", Shelf.objects.update_or_create(name="low")[1], True)
    try:
        with transaction.atomic():
            with transaction.atomic():
                Shelf.objects.create(name="low")
        raise SystemExit("Django: a duplicate was taken")
    except IntegrityError as error:
        check("Django duplicate", error.args[0], 1062)
    with transaction.atomic():
        Item.objects.select_for_update(skip_locked=True).filter(label="i3").get()
        Item.objects.bulk_create([Item(shelf=shelf, label="i3", price=5, made=when)], update_conflicts=True,
                                 update_fields=["price"])
    check("Django upsert", Item.objects.get(label="i3").price, 5)
    user = User.objects.create_user("ann", password="pw")
    user.groups.add(Group.objects.create(name="staff"))
    check("Django groups", User.objects.filter(groups__name="staff").get().check_password("pw"), True)
    check("Django delete", shelf.delete()[0], 21)
    call_command("flush", interactive=False, verbosity=0)
    check("Django flush", User.objects.count(), 0)


sqlalchemy_on("pymysql")
sqlalchemy_on("mysqldb")
sqlalchemy_on("mysqlconnector")
django_app()
print("ok")
